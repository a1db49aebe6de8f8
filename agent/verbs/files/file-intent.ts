import { ClawError } from '../../../protocol/errors.ts'
import { INTENT_SECONDS, MAX_INTENTS, MAX_NAME_BYTES } from '../../../protocol/limits.ts'
import { within } from '../../../workspace/document/validate.ts'
import { cursorOver, mapLines } from '../../../workspace/files/cursors.ts'
import { parseLines } from '../../../workspace/files/file-edit.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { getFile } from '../../../workspace/files/tree.ts'
import { linesText } from '../../../workspace/inbox/conflicts.ts'
import type { Verb } from '../../command/call.ts'
import { presenceOf, saveState } from '../../command/profile.ts'
import { path } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** Tells the others what this agent is about to do with some lines; with `--clear` that it no longer is. */
export const fileIntent: Verb = async (call) => {
  const key = call.flag('key')!
  const team = await WorkspaceSession.open(call, false)
  const now = team.now()
  team.me()
  const { file_key, content } = readFile(team.doc, key)
  const { fileId } = getFile(team.doc, key).entry
  const others = (call.profile.state.intents ?? []).filter(({ until }) => until > now)
  const kept = call.has('clear') ? others.filter(({ file }) => file !== fileId) : others
  if (call.has('clear')) {
    saveState(call.profile, { intents: kept })
    team.show(presenceOf(call.profile.state))
    await team.confirm()
    return { data: { intents: kept.length }, lines: [`no intents in ${path(file_key)}`] }
  }

  if (kept.length >= MAX_INTENTS) {
    throw new ClawError(
      'too_large',
      `you have ${kept.length} intents; the limit is ${MAX_INTENTS}`,
      'give one up with --clear',
    )
  }
  const seconds = call.number('ttl') ?? INTENT_SECONDS
  const { from, to } = parseLines(call.flag('lines')!)
  const seen = (await team.replica.seen(file_key))?.content ?? content
  const lines = mapLines(seen, content, { from_line: from, to_line: to })
  const note = within('note', call.text('note')!, MAX_NAME_BYTES)
  const intent = { ...cursorOver(team.doc, fileId, lines), note, until: now + seconds * 1_000 }
  saveState(call.profile, { intents: [...kept, intent] })
  team.show(presenceOf(call.profile.state))
  await team.confirm()
  const until = new Date(intent.until).toISOString()
  return {
    data: { intent: { file_key, ...lines, note, until } },
    lines: [
      `the others know that you intend ${linesText(lines)} of ${path(file_key)} until ${until}`,
    ],
  }
}
