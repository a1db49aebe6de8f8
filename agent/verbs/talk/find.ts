import type * as Y from 'yjs'
import { shorten } from '../../../lib/text/shorten.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { FIND_PLACES } from '../../../workspace/actions/inputs/find.ts'
import { type Found, find as search, wordsOf } from '../../../workspace/inbox/find.ts'
import type { Verb } from '../../command/call.ts'
import { messageLines } from '../../command/message-line.ts'
import { idText, oneLine, path, stateText } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** Lines that are printed by default (count). */
const LIMIT = 20
/** Characters shown of a found line. */
const SHOWN = 160

/** Searches the document: the newest messages and tasks first, then lines of files. */
export const find: Verb = async (call) => {
  const query = call.flag('query')!
  if (wordsOf(query).length === 0)
    throw new ClawError('usage', 'the query has no words', 'like: find "release notes"')
  const place = call.oneOf('in', FIND_PLACES) ?? null
  const limit = call.number('limit') ?? LIMIT
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const found: Found[] = []
  let hasMore = false
  const me = call.profile.state.agent_id ?? null
  for (const one of search(team.doc, { query, place, me, now: team.now() })) {
    hasMore = found.length === limit
    if (hasMore) break
    found.push(one)
  }
  const notes = found.length === 0 ? ['nothing found'] : hasMore ? ['there is more: --limit'] : []
  return {
    data: { found, count: found.length, more: hasMore, ...team.admitOffline() },
    lines: found.map((one) => lineOf(team.doc, one)),
    notes,
  }
}

const lineOf = (doc: Y.Doc, one: Found): string => {
  switch (one.in) {
    case 'messages':
      return shorten(messageLines(doc, one.message).join(' '), 2 * SHOWN)
    case 'tasks': {
      const { task_id, status, task, message } = one.task
      const said = message === '' ? task : `${task} — ${message}`
      return oneLine(`task ${idText(task_id)} ${stateText(status)}: ${shorten(said, SHOWN)}`)
    }
    case 'files': {
      const at = one.line === 0 ? '' : `:${one.line}: ${shorten(one.text.trim(), SHOWN)}`
      return oneLine(`file ${path(one.file_key)}${at}`)
    }
  }
}
