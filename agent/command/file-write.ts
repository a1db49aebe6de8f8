import type { FileBase } from '../../client/replica/replica.ts'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import { writeText } from '../../workspace/actions/writing.ts'
import { overlap } from '../../workspace/files/cursors.ts'
import { getFile } from '../../workspace/files/tree.ts'
import { linesText } from '../../workspace/inbox/conflicts.ts'
import type { Outcome } from './call.ts'
import { path, who } from './text.ts'
import type { WorkspaceSession } from './workspace-session.ts'

/**
 * Puts a file, tells those whose lines it overlaps, shows the others where the agent is, and says what came of it and
 * who intends something with the same lines; `known` is the version that the agent then knows, which is the new one only
 * if it had read the one before. Belongs into `mergingWrite`. Throws what `putFile` throws.
 */
export const writeFile = (
  team: WorkspaceSession,
  put: { key: string; content: string; base: string | null; force?: boolean; isNew?: boolean },
): Outcome & { known: (read: FileBase | null) => number } => {
  const { doc } = team
  const by = team.me()
  const written = writeText(doc, { ...put, by, now: team.now() }, newMessageId)
  const { file, changed, created, conflicts, lines } = written
  const { file_key, version } = file

  const [first, last] = [lines[0], lines.at(-1)]
  const where = first && last && { from_line: first.from_line, to_line: last.to_line }
  const { fileId } = getFile(doc, file_key).entry
  if (where !== undefined) team.point(fileId, where)
  team.watch(fileId, lines)
  const intents = team
    .whoIsIn()
    .intents.filter(
      (one) => one.file_key === file_key && one.agent_id !== by && overlap(lines, one),
    )
  const what = created ? 'created' : changed ? 'changed' : 'unchanged'
  const at = created || lines.length === 0 ? '' : `, ${lines.map(linesText).join(', ')}`
  return {
    known: written.known,
    data: { file, changed, created, conflicts, lines, ...(intents.length > 0 && { intents }) },
    lines: [`${what} ${path(file_key)} version ${version}${at}`],
    notes: [
      ...conflicts.map(
        (conflict) =>
          `conflict in ${path(file_key)}, ${linesText(conflict)}: ${conflict.by} changed them too; both are kept, file-get and settle it`,
      ),
      ...intents.map(
        (one) =>
          `${who(doc, one.agent_id)} intends ${linesText(one)} until ${one.until}: ${one.note}`,
      ),
    ],
  }
}
