import {
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { ClawError, type ErrorBody, VERBS_HEADER } from '../../protocol/errors.ts'
import { MAX_FILE_BYTES } from '../../protocol/limits.ts'
import type { Role, ServerProof } from '../../protocol/roles.ts'
import type { TaskResult } from '../../workspace/document/schema.ts'
import { isBroadcast } from '../../workspace/document/shape.ts'
import type { FileVersion } from '../../workspace/files/file-state.ts'
import type { ArchivePage, TaskArchivePage } from '../../workspace/inbox/mailbox.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/messages/broadcasts.ts'
import { isArchivedTask } from '../../workspace/tasks/task-archive.ts'
import type { Task, TaskStep } from '../../workspace/tasks/tasks.ts'
import {
  type Answered,
  explained,
  gateway,
  httpError,
  noServer,
  notClawLink,
  strangerAt,
} from './middlebox.ts'
import { agentFor } from './proof.ts'
import { authorization, type ServerAt } from './target.ts'
import { trusted } from './trust.ts'

/** Covers a server that is busy compacting; beyond that it is as good as away. */
const TIMEOUT_MS = 15_000
/** A broken connection is tried again after each of these times; commands are idempotent by key. */
const RETRY_AFTER_MS: readonly number[] = [100, 400]
/** A throttled call waits as long as the server says, once, and at most this long, in seconds. */
const LONGEST_WAIT_S = 5
/** Above any answer of ours (the largest file, escaped as JSON): a stranger's answer must not fill the memory. */
const MAX_ANSWER_BYTES = 6 * MAX_FILE_BYTES + 1024 * 1024

/** A server's description of itself. */
export interface ServerInfo {
  service: string
  version: string
  [more: string]: unknown
}

/** A command of the server on one task, and its parameters: workspace/tasks/task-commands.ts. */
export interface TaskRequest {
  name: 'status' | 'claim' | 'release' | 'decline' | 'approve' | 'cancel'
  by: string
  key: string
  message: string
  /** Of `status`: where to, and what goes with it. */
  state?: string
  to?: string | undefined
  token?: number | undefined
  percent?: number | undefined
  result?: TaskResult | undefined
  /** Of `cancel`: at once. */
  force?: boolean
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

/** Gives the server, the only writer of tasks, a command. Throws what it refuses it with. */
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
  command: { by: string; key: string; caps?: string[] },
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

/** A version with its content. `file_key`: the file's path now; null: it is removed. */
export interface FileVersionContent {
  file_key: string | null
  version: FileVersion & { content: string }
}

/** `GET …/files/version`. Throws `unknown_file`, `unknown_version`. */
export const getFileVersion = async (
  server: ServerAt,
  workspace: string,
  key: string,
  version: number,
): Promise<FileVersionContent> => {
  const query = new URLSearchParams({ key, version: String(version) })
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

interface Answer<T> {
  ok?: boolean
  data?: T
  error?: Partial<ErrorBody>
}

/** The JSON that the server answered. Throws the error it answered, `unreachable` or `not_clawlink`. */
const call = async (
  server: ServerAt,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
): Promise<unknown> => {
  let broken = 0
  let hasWaited = false
  for (;;) {
    try {
      return await callOnce(server, method, path, body, timeoutMs)
    } catch (error) {
      const wait = isBroken(error) ? RETRY_AFTER_MS[broken++] : saidIn(error)
      if (wait === undefined || hasWaited) throw await explained(server.base, ClawError.from(error))
      hasWaited = !isBroken(error)
      await sleep(wait)
    }
  }
}

/** The wait before a retry, in milliseconds, if the server named one and it is short. */
const saidIn = (error: unknown): number | undefined => {
  const seconds = error instanceof ClawError ? error.retryAfter : undefined
  return seconds === undefined || seconds > LONGEST_WAIT_S ? undefined : seconds * 1_000
}

const callOnce = async (
  server: ServerAt,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
): Promise<unknown> => {
  const answered = await exchange(server, method, path, body, timeoutMs)
  const { status, text } = answered
  let answer: Answer<unknown> | null
  try {
    answer = JSON.parse(text) as Answer<unknown> | null
  } catch {
    throw strangerAt(server.base, answered)
  }
  if (answer?.error?.code !== undefined) throw ClawError.fromBody(answer.error)
  if (status >= 400)
    throw gateway(server.base, status) ?? notClawLink(server.base, `it answered ${status}`)
  return answer
}

/** Node's `request` for a URL and its options; that for TLS is loaded where it is needed. */
type Requester = (
  url: URL,
  options: RequestOptions,
  onAnswer: (answer: IncomingMessage) => void,
) => ClientRequest

/** Throws `usage` if CLAWLINK_CA does not name a certificate. */
export const requesterOf = async (url: URL): Promise<Requester> => {
  if (url.protocol !== 'https:') return httpRequest
  const { request } = await import('node:https')
  const more = trusted()
  return (to, options, onAnswer) => request(to, { ...options, ...more }, onAnswer)
}

const exchange = async (
  server: ServerAt,
  method: string,
  path: string,
  body: unknown,
  timeoutMs: number,
): Promise<Answered> => {
  const url = new URL(server.base + path)
  const request = await requesterOf(url)
  const payload = body === undefined ? '' : JSON.stringify(body)
  const shown = [server.token?.() ?? null, inviteIn(body)]
  const agent = agentFor(server, shown, timeoutMs) ?? false
  return new Promise((resolve, reject) => {
    const headers = {
      connection: 'close',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
      [VERBS_HEADER]: '1',
      ...authorization(server),
    }
    const sent = request(url, { method, headers, agent }, (response: IncomingMessage) => {
      const chunks: Buffer[] = []
      let size = 0
      response.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size > MAX_ANSWER_BYTES)
          sent.destroy(notClawLink(server.base, 'its answer does not end'))
        else chunks.push(chunk)
      })
      response.once('error', (error) => reject(httpError(server.base, error)))
      response.once('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: Buffer.concat(chunks).toString(),
        }),
      )
    })
    sent.setTimeout(timeoutMs, () =>
      sent.destroy(noServer(server.base, `no answer within ${timeoutMs / 1000} s`)),
    )
    sent.once('error', (error) => reject(httpError(server.base, error)))
    sent.end(payload)
  })
}

/** The secret that is shown in a body: by `join`. */
const inviteIn = (body: unknown): string | null =>
  (body as { invite?: string } | undefined)?.invite ?? null

/**
 * True if an established connection broke: the server may have run the command, or may be
 * restarting.
 */
const isBroken = (error: unknown): boolean =>
  error instanceof ClawError &&
  ['ECONNRESET', 'EPIPE'].includes((error.cause as NodeJS.ErrnoException | undefined)?.code ?? '')
