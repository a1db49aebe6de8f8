import { diffTokens } from '../../lib/merge/diff.ts'
import { isBinary } from '../../workspace/files/blobs.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { findLeaf } from '../../workspace/files/tree.ts'
import type { Message } from '../../workspace/messages/message.ts'
import type { WorkspaceSession } from './workspace-session.ts'

type FileUpdated = Extract<Message, { type: 'file_updated' }>

/** A larger text (characters) is not compared for a message. */
const MAX_COMPARED = 256 * 1024
/** Ranges of lines that a message names (count). */
const MAX_RANGES = 5

/** News of a text with the lines that changed since the agent read it; other messages as they are. */
export const withChange = async (team: WorkspaceSession, message: Message): Promise<Message> => {
  if (message.type !== 'file_updated') return message
  const entry = findLeaf(team.doc, message.file_key)?.entry
  if (entry === undefined || isBinary(entry)) return message
  const { content } = readFile(team.doc, message.file_key)
  const base = await team.readText(message.file_key)
  const seen = await team.replica.seen(message.file_key)
  const read = (seen !== null && seen.version >= (base?.version ?? 0) ? seen : base)?.content
  const isNew = message.version === 1 || message.from_version === 1
  const before = read ?? (isNew ? '' : undefined)
  if (before === undefined || before.length + content.length > MAX_COMPARED) return message
  return { ...message, ...changeOf(before, content) }
}

const linesOf = (text: string): string[] => {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines
}

const changeOf = (
  before: string,
  after: string,
): Required<Pick<FileUpdated, 'added' | 'removed' | 'lines'>> => {
  const hunks = [...diffTokens(linesOf(before), linesOf(after))]
  const sum = (count: (hunk: (typeof hunks)[number]) => number): number =>
    hunks.reduce((total, hunk) => total + count(hunk), 0)
  const ranges = hunks.map(({ b0, b1 }) => (b1 - b0 > 1 ? `${b0 + 1}-${b1}` : `${b0 + 1}`))
  const more = ranges.length > MAX_RANGES ? ',…' : ''
  return {
    added: sum(({ b0, b1 }) => b1 - b0),
    removed: sum(({ a0, a1 }) => a1 - a0),
    lines: ranges.slice(0, MAX_RANGES).join(',') + more,
  }
}
