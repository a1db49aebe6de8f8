import { createHash } from 'node:crypto'
import { joinLink } from '../../../protocol/roles.ts'
import { type Field, flagName } from '../../../workspace/actions/inputs/field.ts'
import { agentHere } from '../agent.ts'
import { invite, type Member, member } from '../auth/members.ts'
import type { ServerAt } from '../server.ts'
import { allActions } from './all-actions.ts'

/** Values of an action's input, by its JSON names. `bytes`: what a blob holds. */
export type Input = Readonly<Record<string, unknown>>

// biome-ignore lint/suspicious/noExplicitAny: tests say what they expect of each field
export type Data = { [field: string]: any }

/** The data, or the code of the error. */
export interface Did {
  data?: Data
  code?: string
}

/** One agent, through one of the faces. */
export interface TestActor {
  run: (action: string, input: Input, key?: string) => Promise<Did>
  /** Reads a file, so that it has it in its hands; its version. */
  read: (key: string) => Promise<number>
  /** From now on its credential only reads. */
  demote: () => Promise<void>
}

/** How agents of one kind are made. */
export interface Face {
  name: string
  actor: (server: ServerAt, id: string) => Promise<TestActor>
}

const VERBS: Readonly<Record<string, string>> = {
  putText: 'file-put',
  shareBytes: 'file-put',
  editText: 'file-edit',
  editLines: 'file-edit',
  append: 'file-append',
  move: 'file-mv',
  remove: 'file-rm',
  suggest: 'file-suggest',
  acceptSuggestion: 'file-accept',
  rejectSuggestion: 'file-reject',
}
/** The command line of an action, and its stdin. */
const commandOf = async (
  action: string,
  input: Input,
): Promise<{ argv: string[]; stdin: string }> => {
  const known = (await allActions()).get(action)!.input
  const argv = [VERBS[action] ?? action]
  const { content, bytes, from_line, to_line, base_version: _, result, ...fields } = input
  const isFile = action === 'putText' || action === 'shareBytes'
  if (isFile) argv.push('--file', '-', ...(action === 'shareBytes' ? ['--binary'] : []))
  else if (content !== undefined) argv.push('--content', String(content))
  if (from_line !== undefined) argv.push('--lines', `${from_line}-${to_line}`)
  // Without an addressee a verb has to be told that anyone may take the task.
  if (action === 'delegate' && !('to' in input || 'requires' in input)) argv.push('--anyone')
  if (result !== undefined) argv.push('--result-json', JSON.stringify((result as Data).json))
  for (const [field, value] of Object.entries(fields)) {
    const flag = `--${flagName(field, known[field] as Field<unknown>)}`
    if (value === true) argv.push(flag)
    else if (field === 'context') argv.push(flag, JSON.stringify(value))
    else if (value !== false) argv.push(flag, Array.isArray(value) ? value.join(',') : `${value}`)
  }
  return { argv, stdin: String(isFile ? (bytes ?? content) : '') }
}

/** Agents with a replica: each action is a verb of clawlink-agent, at its link. */
export const replicas: Face = {
  name: 'a replica',
  actor: async (server, id) => {
    const one = agentHere(server.url)
    const joins = async (role: 'read' | 'write') => {
      const stdin = joinLink(server.url, 'default', await invite(server, { role }))
      const { code, stderr } = await one.runWith({ stdin }, 'join', '-')
      if (code !== 0) throw new Error(`${id}: ${stderr}`)
    }
    await joins('write')
    return {
      run: async (action, input, key) => {
        const { argv, stdin } = await commandOf(action, input)
        const keyed = key === undefined ? [] : ['--idempotency-key', key]
        const { data, error } = (await one.runWith({ stdin }, ...argv, ...keyed, '--json')).json()
        return error === undefined ? { data: data as Data } : { code: error.code }
      },
      read: async (key) => {
        type Read = { file: { version: number } }
        return (await one.ask<Read>('file-get', '--key', key)).file.version
      },
      demote: () => joins('read'),
    }
  },
}

type Request = [method: 'POST' | 'PUT', rest: string, inPath?: string]

const REQUESTS: Readonly<Record<string, Request>> = {
  register: ['POST', 'register'],
  delegate: ['POST', 'tasks'],
  broadcast: ['POST', 'broadcasts'],
  send: ['POST', 'messages'],
  note: ['POST', 'tasks/:task/note', 'task'],
  claim: ['POST', 'tasks/:task/claim', 'task'],
  release: ['POST', 'tasks/:task/release', 'task'],
  decline: ['POST', 'tasks/:task/decline', 'task'],
  approve: ['POST', 'tasks/:task/approve', 'task'],
  cancel: ['POST', 'tasks/:task/cancel', 'task'],
  answer: ['POST', 'tasks/:task/answer', 'task'],
  respond: ['POST', 'tasks/:task/status', 'task'],
  pause: ['POST', 'agents/:name/pause', 'name'],
  resume: ['POST', 'agents/:name/resume', 'name'],
  putText: ['PUT', 'files/content'],
  editText: ['POST', 'files/edit'],
  editLines: ['POST', 'files/edit'],
  append: ['POST', 'files/append'],
  move: ['POST', 'files/move'],
  remove: ['POST', 'files/remove'],
  shareBytes: ['PUT', 'files/bytes'],
  suggest: ['POST', 'suggestions'],
  acceptSuggestion: ['POST', 'suggestions/:suggestion/accept', 'suggestion'],
  rejectSuggestion: ['POST', 'suggestions/:suggestion/reject', 'suggestion'],
}

/** Agents without one: the server acts for them. */
export const httpAgents: Face = {
  name: 'an HTTP agent',
  actor: async (server, id) => {
    let me: Member = await member(server, id)
    const api = `${server.url}/api/workspaces/default`
    const ask = async (method: string, rest: string, body?: unknown, more = {}): Promise<Did> => {
      const headers = { ...me.headers, ...more }
      const sent = body === undefined ? {} : { body: body as string }
      const answer = await globalThis.fetch(`${api}/${rest}`, { method, headers, ...sent })
      const { data, error } = (await answer.json()) as { data?: Data; error?: { code: string } }
      return error === undefined ? { data: data ?? {} } : { code: error.code }
    }
    return {
      run: async (action, { bytes, ...fields }, key) => {
        const [method, path, inPath] = REQUESTS[action]!
        const rest = inPath === undefined ? path : path.replace(`:${inPath}`, `${fields[inPath]}`)
        const body: Record<string, unknown> = { ...fields }
        if (inPath !== undefined) delete body[inPath]
        if (bytes !== undefined) {
          const sha256 = createHash('sha256').update(String(bytes)).digest('hex')
          const size = Buffer.byteLength(String(bytes))
          Object.assign(body, { sha256, size })
          await ask('PUT', `blobs/${sha256}?size=${size}`, String(bytes))
        }
        const keyed = key === undefined ? {} : { 'idempotency-key': key }
        return ask(method, rest, JSON.stringify(body), keyed)
      },
      read: async (key) => {
        const { data } = await ask('GET', `files/content?key=${encodeURIComponent(key)}`)
        return data!.file.version
      },
      demote: async () => {
        me = await member(server, `${id}-reader`, 'read')
      },
    }
  },
}
