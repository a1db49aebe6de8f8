import { ClawError } from '../../protocol/errors.ts'
import type { Role, ServerProof } from '../../protocol/roles.ts'
import type { BlameRange } from '../../workspace/authorship/blame.ts'
import type { Deleted } from '../../workspace/authorship/deleted.ts'
import { isBroadcast } from '../../workspace/document/shape.ts'
import type { FileVersion } from '../../workspace/files/file-state.ts'
import type { Found } from '../../workspace/inbox/find.ts'
import type { ArchivePage, TaskArchivePage } from '../../workspace/inbox/mailbox.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/messages/broadcasts.ts'
import { isArchivedTask } from '../../workspace/tasks/task-archive.ts'
import type { RequestedChange } from '../../workspace/tasks/task-change.ts'
import type { Task, TaskStep } from '../../workspace/tasks/tasks.ts'
import { type Answer, call } from './call.ts'
import { notClawLink } from './middlebox.ts'
import type { ServerAt } from './target.ts'

/** Covers a server that is busy compacting; beyond that it is as good as away. */
const TIMEOUT_MS = 15_000

/** A server's description of itself. */
export interface ServerInfo {
  service: string
  version: string
  [more: string]: unknown
}

/** A change of a task, as the server is asked for it. */
export interface TaskRequest extends Omit<RequestedChange, 'state'> {
  state?: string
  by: string
  key: string
}

/** The answer to a task command: the task after it, and for a claim the length of its lease. */
export interface TaskAnswer {
  task: Task
  lease_seconds?: number
}

/** `GET /`. Throws `unreachable`, `not_clawlink`. */
export const serverInfo = async (server: ServerAt, timeoutMs = TIMEOUT_MS): Promise<ServerInfo> => {
  const info = (await call(server, 'GET', '/', undefined, timeoutMs).catch((error) => {
    throw wrongPath(server.base, ClawError.from(error))
  })) as Partial<ServerInfo> | null
  if (info?.service !== 'clawlink-sync') throw notClawLink(server.base, 'it is another service')
  return info as ServerInfo
}

/** `GET /` takes no credential: where one is asked for, the path is wrong. */
const wrongPath = (base: string, error: ClawError): ClawError => {
  const { origin, pathname } = new URL(base)
  if (pathname === '/' || !['unauthorized', 'unknown_route'].includes(error.code)) return error
  return new ClawError(
    'not_clawlink',
    `the ClawLink server at ${origin} has nothing at ${pathname}`,
    `leave the path out: --relay ${origin}`,
  )
}

/** Gives a command to the server, the only writer of tasks. Throws the server's error. */
export const postTask = (
  server: ServerAt,
  workspace: string,
  task: string,
  { name, ...command }: TaskRequest,
): Promise<TaskAnswer> =>
  commandOn(server, workspace, `${encodeURIComponent(task)}/${name}`, command)

/** Claims the most urgent task there is for `by`. Throws `nothing_to_claim`. */
export const postNext = (
  server: ServerAt,
  workspace: string,
  command: { by: string; key: string; caps?: readonly string[] },
): Promise<TaskAnswer> => commandOn(server, workspace, 'next', command)

const commandOn = async (
  server: ServerAt,
  workspace: string,
  what: string,
  command: object,
): Promise<TaskAnswer> => {
  const path = `/api/workspaces/${workspace}/tasks/${what}`
  const answer = (await call(server, 'POST', path, command, TIMEOUT_MS)) as Answer<TaskAnswer>
  if (answer?.ok === true && answer.data?.task !== undefined) return answer.data
  throw notClawLink(server.base, 'it does not know task commands')
}

/** A task, live or archived, with its history. Throws `unknown_task`. */
export const getServerTask = async (
  server: ServerAt,
  workspace: string,
  task: string,
): Promise<TaskWithHistory> => {
  const path = `/api/workspaces/${workspace}/tasks/${encodeURIComponent(task)}`
  const answer = await call(server, 'GET', path, undefined, TIMEOUT_MS)
  const { data } = (answer ?? {}) as Answer<{ task: TaskWithHistory }>
  if (Array.isArray(data?.task?.history)) return data.task
  throw notClawLink(server.base, 'it keeps no tasks')
}

export type TaskWithHistory = Task & { history: TaskStep[]; archived?: true }

/** Archived tasks, newest first; `next` is what to give as `before` for more, null at the end. */
export const getArchivedTasks = async (
  server: ServerAt,
  workspace: string,
  limit: number,
  before?: number,
): Promise<{ tasks: Task[]; next: number | null }> => {
  const query = new URLSearchParams({ limit: String(limit) })
  if (before !== undefined) query.set('before', String(before))
  const path = `/api/workspaces/${workspace}/tasks/archived?${query}`
  const answer = await call(server, 'GET', path, undefined, TIMEOUT_MS)
  const { data } = (answer ?? {}) as Answer<{ tasks: Task[]; next: number | null }>
  if (Array.isArray(data?.tasks)) return data
  throw notClawLink(server.base, 'it archives no tasks')
}

/** `GET …/tasks/archive`: what left the live document and concerned `me`, after a position. */
export const getTaskArchive = async (
  server: ServerAt,
  workspace: string,
  after: number,
  me: string,
): Promise<TaskArchivePage> => {
  const path = `/api/workspaces/${workspace}/tasks/archive?after=${after}&limit=1000&for=${encodeURIComponent(me)}`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<TaskArchivePage>
  const { entries, next } = answer?.data ?? {}
  if (!Array.isArray(entries) || typeof next !== 'number') {
    throw notClawLink(server.base, 'it has no archive')
  }
  return { entries: entries.filter(({ task }) => isArchivedTask(task)), next }
}

/** `GET …/archive`: what left the live document. Its end is where `next` is `after`. */
export const getArchive = async (
  server: ServerAt,
  workspace: string,
  after: number,
): Promise<ArchivePage> => {
  const path = `/api/workspaces/${workspace}/archive?after=${after}&limit=1000`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<ArchivePage>
  const { entries, next } = answer?.data ?? {}
  if (!Array.isArray(entries) || typeof next !== 'number') {
    throw notClawLink(server.base, 'it has no archive')
  }
  return { entries: entries.filter(({ entry }) => isBroadcast(entry)), next }
}

/** A page of the log: messages in its order; `next` is what to give as `since` for more. */
export interface LogPage {
  broadcasts: (BroadcastMessage | DirectMessage)[]
  more: boolean
  next: string | null
}

/** `GET …/log` with its parameters. Throws what the server refuses it with. */
export const getLog = async (
  server: ServerAt,
  workspace: string,
  parameters: Readonly<Record<string, string>>,
): Promise<LogPage> => {
  const path = `/api/workspaces/${workspace}/log?${new URLSearchParams(parameters)}`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<LogPage>
  if (Array.isArray(answer?.data?.broadcasts)) return answer.data
  throw notClawLink(server.base, 'it has no log')
}

/** `GET …/find` with its parameters. Throws the server's error. */
export const getFound = async (
  server: ServerAt,
  workspace: string,
  parameters: Readonly<Record<string, string>>,
): Promise<{ found: Found[]; more: boolean }> => {
  const path = `/api/workspaces/${workspace}/find?${new URLSearchParams(parameters)}`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<{
    found: Found[]
    more: boolean
  }>
  if (Array.isArray(answer?.data?.found)) return answer.data
  throw notClawLink(server.base, 'it finds nothing')
}

/** Newest first. `file_key`: the file's path now; null: it is removed. */
export interface FileLogPage {
  file_key: string | null
  versions: FileVersion[]
  /** There are older ones: below the last of these. */
  more: boolean
}

/** `GET …/files/log`: versions of a file below `before`. Throws `unknown_file`. */
export const getFileLog = async (
  server: ServerAt,
  workspace: string,
  key: string,
  limit: number,
  before?: number,
): Promise<FileLogPage> => {
  const query = new URLSearchParams({ key, limit: String(limit) })
  if (before !== undefined) query.set('before', String(before))
  const path = `/api/workspaces/${workspace}/files/log?${query}`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<FileLogPage>
  if (Array.isArray(answer?.data?.versions)) return answer.data
  throw notClawLink(server.base, 'it keeps no versions of files')
}

/** A file's blame. `more`: there are older deletions. */
export interface FileBlame {
  file_key: string
  version: number
  ranges: BlameRange[]
  deleted?: Deleted[]
  more?: boolean
}

/** `GET …/files/blame`. Throws `unknown_file`, `not_text`. */
export const getBlame = async (
  server: ServerAt,
  workspace: string,
  parameters: Readonly<Record<string, string>>,
): Promise<FileBlame> => {
  const path = `/api/workspaces/${workspace}/files/blame?${new URLSearchParams(parameters)}`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<FileBlame>
  if (Array.isArray(answer?.data?.ranges)) return answer.data
  throw notClawLink(server.base, 'it keeps no authors of files')
}

/** A version with its content. `file_key`: the file's path now; null: it is removed. */
export interface FileVersionContent {
  file_key: string | null
  version: FileVersion & { content: string }
}

/** A version of a file: by its number, by an ISO time or an age such as 2h, or by a checkpoint. */
export type WhichVersion = { version: number } | { at: string } | { checkpoint: string }

/** `GET …/files/version`. Throws `unknown_file`, `unknown_version`, `unknown_checkpoint`, `not_text`. */
export const getFileVersion = async (
  server: ServerAt,
  workspace: string,
  key: string,
  which: WhichVersion,
): Promise<FileVersionContent> => {
  const [[name, value]] = Object.entries(which) as [[string, string | number]]
  const query = new URLSearchParams({ key, [name]: String(value) })
  const path = `/api/workspaces/${workspace}/files/version?${query}`
  const answer = await call(server, 'GET', path, undefined, TIMEOUT_MS)
  const { data } = (answer ?? {}) as Answer<FileVersionContent>
  if (typeof data?.version?.content === 'string') return data
  throw notClawLink(server.base, 'it keeps no versions of files')
}

/** Trades an invite for the credential that is proposed. Throws `unauthorized`, `not_allowed`, `unreachable`. */
export const postJoin = async (
  server: ServerAt,
  request: {
    invite: string
    agent_id: string
    workspace: string
    credential: string
    create?: true
  },
): Promise<{ workspace: string; role: Role }> => {
  const answer = await call(server, 'POST', '/api/join', request, TIMEOUT_MS)
  const { data } = (answer ?? {}) as Answer<{ workspace: string; role: Role }>
  if (typeof data?.workspace === 'string') return data
  throw notClawLink(server.base, 'nobody can join it')
}

/** `GET /api/prove`: which server it is, and that it knows the secret with this id, if one is given. */
export const getProof = async (
  server: ServerAt,
  nonce: string,
  id: string | null,
): Promise<{ proof?: string; server?: ServerProof }> => {
  const query = new URLSearchParams({ nonce, ...(id !== null && { id }) })
  const answer = await call(server, 'GET', `/api/prove?${query}`, undefined, TIMEOUT_MS)
  const { data } = (answer ?? {}) as Answer<{ proof?: string; server?: ServerProof }>
  return data ?? {}
}

/** An invite, and its secret, which is nowhere else. */
export interface MadeInvite {
  invite: string
  secret: string
  workspace: string
  role: Role
  uses: number | null
  expires_at: string | null
}

/** Makes an invite to the workspace of the credential; times in milliseconds. Throws `not_allowed`. */
export const postInvite = async (
  server: ServerAt,
  wanted: { workspace: string; role?: Role; uses?: number | null; expires_in?: number | null },
): Promise<MadeInvite> => {
  const answer = await call(server, 'POST', '/api/admin/invite', wanted, TIMEOUT_MS)
  const { data } = (answer ?? {}) as Answer<MadeInvite>
  if (typeof data?.secret === 'string') return data
  throw notClawLink(server.base, 'it makes no invites')
}
