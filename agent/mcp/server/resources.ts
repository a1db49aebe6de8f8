import { ProtocolError, type RequestId, ResourceNotFoundError } from '@modelcontextprotocol/server'
import type { ErrorCode } from '../../../protocol/errors.ts'
import type { CommandLine } from '../tools/command-lines.ts'
import type { Team } from '../tools/team.ts'
import { FILE_TEMPLATE, type Named, PRIME_URI, parseUri, TASK_TEMPLATE } from '../tools/uris.ts'
import { errorLine } from './tool-calls.ts'

const TEXT = 'text/plain'
/** JSON-RPC 2.0: internal error. */
const INTERNAL_ERROR = -32_603
const ABSENT: readonly ErrorCode[] = ['unknown_task', 'unknown_file', 'bad_path']

export const listResources = async (team: Team) => [
  { uri: PRIME_URI, name: 'prime', title: 'Where you stand in the team', mimeType: TEXT },
  ...(await team.list()),
]

export const listTemplates = () => ({
  resourceTemplates: [
    { uriTemplate: TASK_TEMPLATE, name: 'task', title: 'A task with its history', mimeType: TEXT },
    { uriTemplate: FILE_TEMPLATE, name: 'file', title: 'A shared file' },
  ],
})

const lineOf = (named: Named): CommandLine => {
  switch (named.kind) {
    case 'prime':
      return { argv: ['prime'], stdin: null }
    case 'task':
      return { argv: ['task', `--task=${named.id}`], stdin: null }
    case 'file':
      return { argv: ['file-get', `--key=${named.key}`], stdin: null }
  }
}

/** Throws `ResourceNotFoundError`, and the CLI's error as an internal error with its code and hint. */
export const readResource = async (
  team: Team,
  uri: string,
  { id, signal }: { id: RequestId; signal: AbortSignal },
) => {
  const named = parseUri(uri)
  if (named === null) throw new ResourceNotFoundError(uri)
  const calling = { key: team.keyOf(id), at: Date.now(), signal }
  const { text, error } = await team.run(lineOf(named), calling)
  if (error === null) return { contents: [{ uri, mimeType: TEXT, text }] }
  if (ABSENT.includes(error.code)) throw new ResourceNotFoundError(uri, errorLine(error))
  const { code, hint } = error
  throw new ProtocolError(INTERNAL_ERROR, errorLine(error), { code, hint })
}
