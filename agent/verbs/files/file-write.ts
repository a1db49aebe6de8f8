import type { Written } from '../../../workspace/actions/write-text.ts'
import { overlap } from '../../../workspace/files/cursors.ts'
import { getFile } from '../../../workspace/files/tree.ts'
import { linesText } from '../../../workspace/inbox/conflicts.ts'
import { togetherText } from '../../../workspace/inbox/together.ts'
import type { Printed } from '../../command/replica-actor.ts'
import { path, who } from '../../command/text.ts'
import type { WorkspaceSession } from '../../command/workspace-session.ts'

/**
 * Shows others the place in the text that the agent has just written, and prints the result: its lines, those that
 * others also changed, and those with intents of others.
 */
export const printWritten = (result: Written, session: WorkspaceSession): Printed => {
  const { doc } = session
  const { file, changed, created, conflicts, lines, together = [] } = result
  const { file_key, version } = file
  const [first, last] = [lines[0], lines.at(-1)]
  const where = first && last && { from_line: first.from_line, to_line: last.to_line }
  const { fileId } = getFile(doc, file_key).entry
  if (where !== undefined) session.point(fileId, where)
  session.watch(fileId, lines)
  const me = session.me()
  const intents = session
    .whoIsIn()
    .intents.filter(
      (one) => one.file_key === file_key && one.agent_id !== me && overlap(lines, one),
    )
  const what = created ? 'created' : changed ? 'changed' : 'unchanged'
  const at = created || lines.length === 0 ? '' : `, ${lines.map(linesText).join(', ')}`
  return {
    data: intents.length > 0 ? { intents } : {},
    lines: [`${what} ${path(file_key)} version ${version}${at}`],
    notes: [
      ...conflicts.map(
        (conflict) =>
          `conflict in ${path(file_key)}, ${linesText(conflict)}: ${conflict.by} changed them too; both are kept, file-get and settle it`,
      ),
      ...together.map((pair) => togetherText(path(file_key), { ...pair, by: who(doc, pair.by) })),
      ...intents.map(
        (one) =>
          `${who(doc, one.agent_id)} intends ${linesText(one)} until ${one.until}: ${one.note}`,
      ),
    ],
  }
}
