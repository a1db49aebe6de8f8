import type { Call, Outcome } from './call.ts'

/** A verb: what its command line looks like, and where to load what it does. */
export interface VerbSpec {
  name: string
  summary: string
  usage: string
  example: string
  flags: readonly string[]
  /** Flags whose values may stand alone, in this order. */
  operands?: readonly string[]
  /** Flags that must be given; of several in one entry, any. */
  needs?: readonly (readonly string[])[]
  /** No link is started for it. */
  linkless?: true
  load: () => Promise<(call: Call) => Promise<Outcome>>
}

const KEY = 'idempotency-key'
/** Begins a new chain of answers, where the old one got too long. */
const RESET = 'reset-trace'

/** Loaded one by one, when called: a command costs the start-up time of what it uses. */
export const VERBS: readonly VerbSpec[] = [
  {
    name: 'register',
    summary: 'join the team, or change what it knows of you',
    usage:
      '--name N [--caps a,b] [--topics a,b|all] [--description D] [--machine M] [--idempotency-key K]',
    example: 'register --name Scout --caps research,web --description "finds things out"',
    flags: ['name', 'caps', 'topics', 'description', 'machine', KEY],
    needs: [['name']],
    load: async () => (await import('./verbs/register.ts')).register,
  },
  {
    name: 'discover',
    summary: 'who is here: id, name, status, machine, capabilities',
    usage: '',
    example: 'discover --json',
    flags: [],
    load: async () => (await import('./verbs/discover.ts')).discover,
  },
  {
    name: 'heartbeat',
    summary: 'tell the team that you are there',
    usage: '',
    example: 'heartbeat',
    flags: [],
    load: async () => (await import('./verbs/heartbeat.ts')).heartbeat,
  },
  {
    name: 'delegate',
    summary: 'hand over a task',
    usage:
      '--to ID|NAME --task T|-|--file PATH [--context JSON|-] [--priority low|normal|high|urgent] [--reset-trace] [--idempotency-key K]',
    example: 'delegate --to Scout --task "find the changelog" --priority high',
    flags: ['to', 'task', 'file', 'context', 'priority', RESET, KEY],
    needs: [['to'], ['task', 'file']],
    load: async () => (await import('./verbs/delegate.ts')).delegate,
  },
  {
    name: 'poll',
    summary: 'what came in for me; acknowledges what it printed',
    usage: '[--wait SECONDS] [--type T,T] [--topic T,T] [--from N,N] [--limit N] [--peek]',
    example: 'poll --wait 60 --json',
    flags: ['wait', 'type', 'topic', 'from', 'limit', 'peek'],
    load: async () => (await import('./verbs/poll.ts')).poll,
  },
  {
    name: 'wait',
    summary: 'block until something for me is there; acknowledges nothing',
    usage: '[--timeout SECONDS] [--type T,T] [--topic T,T] [--from N,N]',
    example: 'wait --timeout 300 --type task_delegation,direct_message',
    flags: ['timeout', 'type', 'topic', 'from'],
    load: async () => (await import('./verbs/wait.ts')).wait,
  },
  {
    name: 'watch',
    summary: 'print what comes in as it comes, one JSON line a batch',
    usage: '[--hints] [--type T,T] [--topic T,T] [--from N,N]',
    example: 'watch --hints',
    flags: ['hints', 'type', 'topic', 'from'],
    load: async () => (await import('./verbs/watch.ts')).watch,
  },
  {
    name: 'respond',
    summary: 'answer a task: progress, result or failure',
    usage:
      '--to ID|NAME --msg-id M --result R|-|--file PATH [--status in_progress|completed|failed|input-required|rejected] [--idempotency-key K]',
    example:
      'respond --to Lead --msg-id t-4k2j9x0q7m1z --result "it is in docs/" --status completed',
    flags: ['to', 'msg-id', 'result', 'file', 'status', KEY],
    needs: [['to'], ['msg-id'], ['result', 'file']],
    load: async () => (await import('./verbs/respond.ts')).respond,
  },
  {
    name: 'broadcast',
    summary: 'tell everybody what you learned',
    usage:
      '--content C|-|--file PATH [--topic T] [--tags a,b] [--reply-to ID] [--reset-trace] [--idempotency-key K]',
    example: 'broadcast --content "main is frozen until noon" --topic release --tags ci,main',
    flags: ['content', 'file', 'topic', 'tags', 'reply-to', RESET, KEY],
    needs: [['content', 'file']],
    load: async () => (await import('./verbs/broadcast.ts')).broadcast,
  },
  {
    name: 'send',
    summary: 'tell one agent something; --reply-to makes it an answer',
    usage:
      '--to ID|NAME --content C|-|--file PATH [--reply-to ID] [--topic T] [--reset-trace] [--idempotency-key K]',
    example: 'send --to Scout --content "which branch?"',
    flags: ['to', 'content', 'file', 'reply-to', 'topic', RESET, KEY],
    needs: [['to'], ['content', 'file']],
    load: async () => (await import('./verbs/send.ts')).send,
  },
  {
    name: 'log',
    summary: 'what was said: the newest, or what came since a time or a message',
    usage: '[--topic T] [--from ID|NAME] [--since ID|TIME|2h] [--limit N]',
    example: 'log --topic release --since 2h',
    flags: ['topic', 'from', 'since', 'limit'],
    load: async () => (await import('./verbs/log.ts')).log,
  },
  {
    name: 'sent',
    summary: 'what became of what you sent: stored, delivered, read, answered',
    usage: '[--limit N]',
    example: 'sent --limit 5',
    flags: ['limit'],
    load: async () => (await import('./verbs/sent.ts')).sent,
  },
  {
    name: 'note',
    summary: 'add a note to a task; everyone in it is told',
    usage: 'TASK TEXT|--text T|-|--file PATH [--idempotency-key K]',
    example: 'note t-4k2j9x0q7m1z "the branch is release/2"',
    operands: ['task', 'text'],
    flags: ['task', 'text', 'file', KEY],
    needs: [['task'], ['text', 'file']],
    load: async () => (await import('./verbs/note.ts')).note,
  },
  {
    name: 'cancel',
    summary: 'take back a task that you delegated',
    usage: 'TASK [--reason R|-] [--idempotency-key K]',
    example: 'cancel t-4k2j9x0q7m1z --reason "done by hand"',
    operands: ['task'],
    flags: ['task', 'reason', KEY],
    needs: [['task']],
    load: async () => (await import('./verbs/cancel.ts')).cancel,
  },
  {
    name: 'prime',
    summary: 'where you stand, on less than a page: tasks, unread, who is here, what changed',
    usage: '',
    example: 'prime',
    flags: [],
    load: async () => (await import('./verbs/prime.ts')).prime,
  },
  {
    name: 'file-put',
    summary: 'share a file, or merge your edits into it; what is not text is kept as it is',
    usage: '--key K --file PATH|- [--binary] [--force] [--idempotency-key K]',
    example: 'file-put --key notes/plan.md --file plan.md',
    flags: ['key', 'file', 'binary', 'force', KEY],
    needs: [['key'], ['file']],
    load: async () => (await import('./verbs/file-put.ts')).filePut,
  },
  {
    name: 'file-get',
    summary: 'read a shared file; what you read is the base of your next file-put',
    usage: '--key K [--version N] [--output PATH [--sha256 S] | --lines A-B]',
    example: 'file-get --key notes/plan.md --output plan.md',
    flags: ['key', 'version', 'output', 'lines', 'sha256'],
    needs: [['key']],
    load: async () => (await import('./verbs/file-get.ts')).fileGet,
  },
  {
    name: 'file-edit',
    summary: 'replace a text in a shared file, or lines as you have read them',
    usage:
      '--key K (--find S|- --replace R|- [--all] | --lines A-B --with T|-) [--idempotency-key K]',
    example: 'file-edit --key notes/plan.md --find "by Friday" --replace "by Monday"',
    flags: ['key', 'find', 'replace', 'all', 'lines', 'with', KEY],
    needs: [['key'], ['find', 'lines']],
    load: async () => (await import('./verbs/file-edit.ts')).fileEdit,
  },
  {
    name: 'file-append',
    summary: 'add lines at the end of a shared file, made if there is none',
    usage: '--key K TEXT|--text T|-|--file PATH [--idempotency-key K]',
    example: 'file-append --key notes/log.md "12:40 the build is green"',
    flags: ['key', 'text', 'file', KEY],
    operands: ['text'],
    needs: [['key'], ['text', 'file']],
    load: async () => (await import('./verbs/file-append.ts')).fileAppend,
  },
  {
    name: 'file-diff',
    summary:
      'what changed in a shared file since you read it, or since a version, as a unified diff',
    usage: '--key K [--since-read | --since VERSION]',
    example: 'file-diff --key notes/plan.md --since 3',
    flags: ['key', 'since-read', 'since'],
    needs: [['key']],
    load: async () => (await import('./verbs/file-diff.ts')).fileDiff,
  },
  {
    name: 'file-mv',
    summary: 'rename a shared file; edits under way to the old name are kept',
    usage: '--key K --to NEW [--force] [--idempotency-key K]',
    example: 'file-mv --key plan.md --to notes/plan.md',
    flags: ['key', 'to', 'force', KEY],
    needs: [['key'], ['to']],
    load: async () => (await import('./verbs/file-mv.ts')).fileMv,
  },
  {
    name: 'file-rm',
    summary: 'remove a shared file; refused if others changed it since you read it',
    usage: '--key K [--force] [--idempotency-key K]',
    example: 'file-rm --key notes/old.md',
    flags: ['key', 'force', KEY],
    needs: [['key']],
    load: async () => (await import('./verbs/file-rm.ts')).fileRm,
  },
  {
    name: 'file-intent',
    summary: 'tell others which lines you are about to change; nothing is locked',
    usage: '--key K (--lines A-B --note T [--ttl SECONDS] | --clear)',
    example: 'file-intent --key src/parse.ts --lines 10-80 --note "rewriting parse()"',
    flags: ['key', 'lines', 'note', 'ttl', 'clear'],
    needs: [['key']],
    load: async () => (await import('./verbs/file-intent.ts')).fileIntent,
  },
  {
    name: 'file-list',
    summary: 'the shared files: key, version, last editor, size, and who is in them',
    usage: '[PREFIX] [--changed]',
    example: 'file-list notes/ --changed',
    flags: ['prefix', 'changed'],
    operands: ['prefix'],
    load: async () => (await import('./verbs/file-list.ts')).fileList,
  },
  {
    name: 'file-log',
    summary: 'the versions of a shared file, newest first: who, when, how much',
    usage: '--key K [--limit N] [--before VERSION]',
    example: 'file-log --key notes/plan.md --limit 10',
    flags: ['key', 'limit', 'before'],
    needs: [['key']],
    load: async () => (await import('./verbs/file-log.ts')).fileLog,
  },
  {
    name: 'file-restore',
    summary: 'bring a version back, as a new edit; of a removed file the newest',
    usage: '--key K [--version N] [--idempotency-key K]',
    example: 'file-restore --key notes/plan.md --version 3',
    flags: ['key', 'version', KEY],
    needs: [['key']],
    load: async () => (await import('./verbs/file-restore.ts')).fileRestore,
  },
  {
    name: 'mirror',
    summary: 'keep a folder and the shared files the same, both ways, from now on',
    usage: 'DIR [--prefix P] [--foreground] | DIR --stop | --list',
    example: 'mirror ./notes --prefix notes',
    operands: ['dir'],
    flags: ['dir', 'prefix', 'foreground', 'stop', 'list'],
    needs: [['dir', 'list']],
    load: async () => (await import('./verbs/mirror.ts')).mirror,
  },
  {
    name: 'up',
    summary: 'keep this profile connected, and say how its agent is woken',
    usage: '[--on-message COMMAND|off] [--hook URL|off]',
    example: 'up --hook http://127.0.0.1:18789/hooks/wake',
    flags: ['on-message', 'hook'],
    load: async () => (await import('./verbs/up.ts')).up,
  },
  {
    name: 'down',
    linkless: true,
    summary: 'leave with all profiles of this machine, and stop the link',
    usage: '',
    example: 'down',
    flags: [],
    load: async () => (await import('./verbs/down.ts')).down,
  },
  {
    name: 'status',
    linkless: true,
    summary: 'how the link is; or tell the team what you are doing',
    usage: '[--set TEXT [--task ID]]',
    example: 'status --set "refactoring the parser" --task t-4k2j9x0q7m1z',
    flags: ['set', 'task'],
    load: async () => (await import('./verbs/status.ts')).status,
  },
  {
    name: 'leave',
    linkless: true,
    summary: 'tell the team that you go',
    usage: '',
    example: 'leave',
    flags: [],
    load: async () => (await import('./verbs/leave.ts')).leave,
  },
  {
    name: 'scan',
    linkless: true,
    summary: 'which known servers answer',
    usage: '',
    example: 'scan',
    flags: [],
    load: async () => (await import('./verbs/scan.ts')).scan,
  },
  {
    name: 'info',
    linkless: true,
    summary: 'about the server',
    usage: '',
    example: 'info --json',
    flags: [],
    load: async () => (await import('./verbs/info.ts')).info,
  },
  {
    name: 'whoami',
    linkless: true,
    summary: 'who this profile is, and where its team is',
    usage: '',
    example: 'whoami',
    flags: [],
    load: async () => (await import('./verbs/whoami.ts')).whoami,
  },
]
