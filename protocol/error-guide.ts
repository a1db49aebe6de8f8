import type { ErrorCode } from './errors.ts'

/** Cause and remedy of an error, for docs/errors.md. Programs print a message and a hint of their own. */
export interface Guide {
  cause: string
  remedy: string
}

export const ERROR_GUIDE: Readonly<Record<ErrorCode, Guide>> = {
  bug: {
    cause: 'The program met a state that it does not know.',
    remedy: 'Report it with the command that you ran.',
  },
  usage: {
    cause: 'A flag, a value or a combination of flags is wrong.',
    remedy: 'Run the command with `--help`, correct it, and run it again.',
  },
  bad_json: {
    cause: 'A text that must be JSON is not, or JSON cannot hold its value exactly.',
    remedy: 'Correct the JSON; put long numbers in quotes.',
  },
  bad_status: {
    cause: 'The status of a task does not exist.',
    remedy: 'Use one of the statuses that the hint lists.',
  },
  bad_url: {
    cause: 'The address of the server, or a join link, cannot be read.',
    remedy: 'Give `http://HOST:PORT`, or paste the whole join link.',
  },
  bad_path: {
    cause: 'A shared path is empty or absolute, leaves the folder, or has invisible characters.',
    remedy: 'Give a relative path such as `notes/plan.md`.',
  },
  bad_text: {
    cause: 'A text holds control or invisible characters, or nothing visible.',
    remedy: 'Remove these characters, or share the content as a file.',
  },
  bad_name: {
    cause: 'A name is empty, too long, or holds characters that a name must not have.',
    remedy: 'Choose a name of letters, digits, spaces, dots and dashes.',
  },
  too_large: {
    cause: 'A text, a file or a frame exceeds its limit.',
    remedy: 'Send less, split it, or share it as a file.',
  },
  invalid: {
    cause: 'An update does not follow the grammar of the document (docs/SCHEMA.md).',
    remedy:
      'Correct the client; the reason names the place. Leave and join again to drop the update.',
  },
  malformed: {
    cause: 'A frame or a request body does not follow the protocol (docs/PROTOCOL.md).',
    remedy: 'Correct the client.',
  },
  task_cycle: {
    cause: 'Tasks would wait for each other.',
    remedy: 'Remove one of the dependencies in `--after`.',
  },
  ambiguous: {
    cause: 'A name or the beginning of an id fits more than one.',
    remedy: 'Give one of the ids that the hint lists.',
  },
  not_registered: {
    cause: 'This profile has not registered in the workspace.',
    remedy: 'Run `clawlink-agent register --name NAME`.',
  },
  unknown_agent: {
    cause: 'The workspace has no agent of this name or id.',
    remedy: 'Run `clawlink-agent discover`.',
  },
  unknown_task: {
    cause: 'The workspace has no task of this id, live or archived.',
    remedy: 'Run `clawlink-agent tasks`.',
  },
  unknown_file: {
    cause: 'The workspace has no file at this path.',
    remedy: 'Run `clawlink-agent file-list`.',
  },
  unknown_version: {
    cause: 'This version of the file does not exist, or is not kept any more.',
    remedy: 'Run `clawlink-agent file-log --key PATH`.',
  },
  unknown_checkpoint: {
    cause: 'The workspace has no checkpoint of this name; it may have been removed.',
    remedy: 'Run `clawlink-agent checkpoints`.',
  },
  unknown_suggestion: {
    cause: 'No suggestion has this id, or it ended long ago.',
    remedy: 'Run `clawlink-agent file-suggestions`.',
  },
  unknown_message: {
    cause: 'The workspace has no message of this id.',
    remedy: 'Run `clawlink-agent log`.',
  },
  unknown_route: {
    cause: 'The server has no such route, or no WebSocket at this path.',
    remedy: 'See `/api/openapi.json` and docs/PROTOCOL.md.',
  },
  unknown_undo: {
    cause: 'No undo of these files has this id.',
    remedy: 'Use the id that `clawlink-agent undo` printed; it begins with `u-`.',
  },
  unknown_blob: {
    cause: 'The server does not have the bytes of this SHA-256.',
    remedy: 'Put the file again where it is, or restore a backup.',
  },
  no_candidate: {
    cause: 'No agent has the capabilities that the task requires.',
    remedy: 'Give `--to NAME`, or remove a capability from `--caps`.',
  },
  nothing_to_claim: {
    cause: 'No open task fits this agent.',
    remedy: 'Run `clawlink-agent wait`, or claim a task by its id.',
  },
  no_match: {
    cause: 'The text to replace does not occur in the file, or occurs more often than said.',
    remedy: 'Read the file again, and give a text that occurs once.',
  },
  no_such_local_file: {
    cause: 'The local file does not exist or cannot be read.',
    remedy: 'Check the path and its permissions.',
  },
  unknown_mirror: {
    cause: 'This folder is not mirrored.',
    remedy: 'Run `clawlink-agent mirror` to list the mirrors.',
  },
  unknown_workspace: {
    cause: 'The server has no workspace of this name. Reading does not create one.',
    remedy:
      'Check the name, or create it with `register --create` or `clawlink-sync workspaces add`.',
  },
  openclaw_missing: {
    cause: '`openclaw` is not installed, or not in PATH.',
    remedy: 'Install OpenClaw, or set its path (docs/openclaw.md).',
  },
  host_missing: {
    cause:
      'The host is not on this machine: neither its command in PATH nor its folder of settings.',
    remedy: 'Install the host, or set its variable for the folder (docs/hosts.md).',
  },
  no_data: {
    cause: 'The folder holds no data of a server.',
    remedy: 'Name the folder with `--data`.',
  },
  task_taken: {
    cause: 'Another agent owns the task.',
    remedy: 'Claim another task: `clawlink-agent claim --next`.',
  },
  task_terminal: {
    cause: 'The task has ended; an ended task does not change.',
    remedy: 'Delegate a new task.',
  },
  task_blocked: {
    cause: 'The task waits for others to complete.',
    remedy: 'Wait for the tasks that the message names.',
  },
  lease_lost: {
    cause: 'The lease of the task ended, and the task was offered again.',
    remedy: 'Claim it again if it is still open.',
  },
  task_state: {
    cause: 'The command does not fit the state of the task.',
    remedy: 'Read the task with `clawlink-agent task ID`, then choose a command that fits.',
  },
  suggestion_state: {
    cause: 'The suggestion, or a hunk of it, was accepted or rejected already.',
    remedy: 'Read it with `clawlink-agent file-suggestions --id ID`.',
  },
  no_base: {
    cause:
      'The file exists, and this agent has not read it: a merge needs the version that it read.',
    remedy: 'Read it with `file-get`, or overwrite it with `--force`.',
  },
  stale: {
    cause: 'Others changed a file after the version that was read.',
    remedy: 'Read it again, check your work against it, and repeat the command.',
  },
  file_exists: {
    cause: 'A file is at the path already.',
    remedy: 'Choose another path, or write without `--new`.',
  },
  is_text: {
    cause: 'The file is text, and the command is for bytes.',
    remedy: 'Use the command without `--binary`.',
  },
  not_text: {
    cause: 'The file is binary, and the command is for text.',
    remedy: 'Use `file-get --output PATH` or `file-put --binary`.',
  },
  bad_blob: {
    cause: 'The bytes do not have the announced SHA-256 or length.',
    remedy: 'Upload the file again.',
  },
  wrong_offset: {
    cause: 'An upload continues at another offset than the server has.',
    remedy: 'Ask for the offset, and continue there.',
  },
  quota: {
    cause: 'The workspace, or the share of this agent, is full.',
    remedy: 'Remove files or texts, or ask the operator to raise the limit.',
  },
  key_reused: {
    cause: 'The idempotency key was used for a call with other arguments.',
    remedy: 'Use a new key.',
  },
  mirror_taken: {
    cause: 'The folder is mirrored by another profile or mirror.',
    remedy: 'Stop that mirror first, or choose another folder.',
  },
  openclaw_refused: {
    cause: 'OpenClaw rejected the call.',
    remedy: 'Read its answer in the message (docs/openclaw.md).',
  },
  host_taken: {
    cause: 'Something that `hosts install` did not write is where it would write.',
    remedy: 'Move it away, then install again.',
  },
  host_changed: {
    cause: 'A file that `hosts install` wrote was changed since.',
    remedy: 'Move your copy away, then uninstall and install again.',
  },
  checkpoint_exists: {
    cause: 'The workspace has a checkpoint of this name.',
    remedy:
      'Choose another name, or remove the old one: `clawlink-agent checkpoint NAME --remove`.',
  },
  name_taken: {
    cause: 'Another agent of the workspace has this name.',
    remedy: 'Choose another name.',
  },
  port_taken: {
    cause: 'Another process listens on the port.',
    remedy: 'Stop it, or choose another port with `--port`.',
  },
  data_locked: {
    cause: 'Another process has the data folder open.',
    remedy: 'Stop it, or name another folder.',
  },
  not_empty: {
    cause: 'The target folder is not empty.',
    remedy: 'Name an empty or a new folder.',
  },
  bad_backup: {
    cause: 'The backup is incomplete or damaged.',
    remedy: 'Use another backup; `clawlink-sync verify DIR` tells the damage.',
  },
  storm: {
    cause: 'Messages answer each other without end: the chain is too long.',
    remedy: 'Stop answering, or begin a new chain with `--reset-trace`.',
  },
  too_many: {
    cause: 'A rate limit or a count limit is reached.',
    remedy: 'Retry after the given time; the operator can raise the limit with `--limit`.',
  },
  busy: {
    cause: 'Another command of this profile has the replica.',
    remedy: 'Retry.',
  },
  not_allowed: {
    cause: 'The role of the credential does not allow the call.',
    remedy: 'Ask for a join link with the role that the message names.',
  },
  insecure: {
    cause: 'The call would send a secret over an unprotected connection.',
    remedy: 'Use https, or a server on this machine.',
  },
  unauthorized: {
    cause: 'The call shows no credential, or an unknown one.',
    remedy: 'Join with a link: `clawlink-agent join LINK`.',
  },
  revoked: {
    cause: 'The credential was revoked or rotated.',
    remedy: 'Ask the operator for a new join link.',
  },
  forged: {
    cause: 'The call or the update acts in the name of another agent.',
    remedy: 'Act in your own name; the operator sees the attempt in the audit.',
  },
  cannot_write: {
    cause: 'The file system rejected a write: disk full, quota, or read-only.',
    remedy: 'Free space or change the permissions, then retry.',
  },
  old_node: {
    cause: 'Node is older than ClawLink needs.',
    remedy: 'Install the Node that the message names, or put it first in PATH.',
  },
  host_config: {
    cause:
      'The settings of a host, or the record of an installation, cannot be read, or take no entry.',
    remedy: 'Correct the file that the message names; `hosts` changes no file that it cannot read.',
  },
  data_unusable: {
    cause: 'The data folder or the home cannot be read or written.',
    remedy: 'Check owner and permissions of the path in the message.',
  },
  data_damaged: {
    cause: 'Stored data differs from the data that was written.',
    remedy: 'Run `clawlink-sync verify`, keep a copy, restore the newest backup.',
  },
  data_newer: {
    cause: 'A newer version of ClawLink wrote the data.',
    remedy: 'Run that version, or a newer one.',
  },
  unreachable: {
    cause: 'The server does not answer.',
    remedy: 'Check the address and that the server runs; writes are kept and sent later.',
  },
  not_clawlink: {
    cause: 'Another program, or a login page, answers at the address.',
    remedy: 'Check host, port and path prefix of the address.',
  },
  proxy_refused: {
    cause: 'The HTTP proxy rejected the connection.',
    remedy: 'Check `HTTPS_PROXY`, or add the host to `NO_PROXY`.',
  },
  no_websockets: {
    cause: 'A proxy between client and server does not pass WebSockets.',
    remedy: 'Let the proxy pass the header Upgrade (docs/OPERATIONS.md).',
  },
  other_server: {
    cause: 'Another server answers at an address that this profile knows.',
    remedy: 'Check the address; join the other server under another profile.',
  },
  unproven: {
    cause: 'The server did not prove that it is the one that this profile knows.',
    remedy: 'Retry; if it stays, check the network between you and the server.',
  },
  bad_certificate: {
    cause: 'The certificate of the server is not trusted.',
    remedy: 'Set `NODE_EXTRA_CA_CERTS` to the certificate of its authority.',
  },
  storage_failed: {
    cause: 'The server cannot store at the moment.',
    remedy: 'Retry; the operator finds the cause in `/health` and in the log.',
  },
  workspace_failed: {
    cause: 'This workspace failed on the server; others are served.',
    remedy: 'Retry later; the operator runs `clawlink-sync verify` and `repair`.',
  },
  moved: {
    cause: 'Another node of the cluster serves this workspace now.',
    remedy: 'Reconnect, or retry, at once: every node leads there.',
  },
  shutting_down: { cause: 'The server is stopping.', remedy: 'Retry when it runs again.' },
  slow_reader: {
    cause: 'The client does not read what it is sent.',
    remedy: 'Read faster; clients reconnect by themselves.',
  },
  gap: {
    cause: 'An update refers to operations that the server does not have.',
    remedy: 'Synchronise from SyncStep1 again; clients do so by themselves.',
  },
  timeout: {
    cause: 'No answer came in time.',
    remedy: 'Retry with the same idempotency key.',
  },
}
