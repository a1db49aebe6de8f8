import { ClawError } from '../../../protocol/errors.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'
import { parseLines, replaceLines, replaceText } from '../../../workspace/files/file-edit.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { writeFile } from '../../command/file-write.ts'
import { mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'

/** Replaces a text, or lines as the agent has read them. What it has in its hands for a file-put stays as it is. */
export const fileEdit: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  return call.has('find') ? editText(call, key) : editLines(call, key)
}

const editText = async (call: Call, key: string): Promise<Outcome> => {
  const find = call.text('find')!
  const replace = call.text('replace')!
  const all = call.has('all')
  const team = await WorkspaceSession.open(call, true)
  const seen = await team.replica.seen(key)
  return mergingWrite(
    call,
    { key, find, replace, all },
    () => {
      const current = readFile(team.doc, key).content
      const { content, replaced } = replaceText(current, find, replace, all)
      const { known, data, ...outcome } = writeFile(team, { key, content, base: current })
      if (seen !== null) {
        const now = sameIn(seen.content, find, replace, all)
        team.replica.keepSeen(key, { version: known(seen), content: now })
      }
      return { ...outcome, data: { ...data, replaced } }
    },
    team,
  )
}

/** The same edit in what the agent has seen, so that its line numbers go on fitting; where it fits there. */
const sameIn = (content: string, find: string, replace: string, all: boolean): string => {
  try {
    return replaceText(content, find, replace, all).content
  } catch {
    return content
  }
}

const editLines = async (call: Call, key: string): Promise<Outcome> => {
  const { from, to } = parseLines(call.flag('lines')!)
  const text = call.text('with')!
  const team = await WorkspaceSession.open(call, true)
  const seen = await team.replica.seen(key)
  return mergingWrite(
    call,
    { key, from, to, text },
    () => {
      readFile(team.doc, key)
      if (seen === null) {
        throw new ClawError(
          'no_base',
          `you have not read ${key}, so line numbers say nothing`,
          'file-get it first, or edit by --find and --replace',
        )
      }
      const content = replaceLines(seen.content, from, to, text)
      const { known, ...outcome } = writeFile(team, { key, content, base: seen.content })
      team.replica.keepSeen(key, { version: known(seen), content })
      return outcome
    },
    team,
  )
}
