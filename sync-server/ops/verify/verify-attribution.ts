import type { LevelUpdateLog } from '../../storage/level-update-log.ts'
import type { Report } from './report.ts'

/** Advice for a damaged entry: only authors are lost; the document has the text. */
const TODO = 'the files are whole; restore the newest backup only if their authors matter'

/** Checks the attribution of a workspace: each entry can be read, and no operation is credited twice. */
export const verifyAttribution = async (
  log: LevelUpdateLog,
  workspace: string,
  report: Report,
): Promise<void> => {
  const where = `workspace ${workspace}, authors`
  for await (const { key, reason } of log.folded.damaged(workspace)) {
    report.problem(`${where}, key ${JSON.stringify(key)}`, reason, TODO)
  }
  const map = await report.look(where, () => log.attribution(workspace, null), TODO)
  if (map === null) return
  for (const [what, all] of Object.entries({ inserted: map.inserts, deleted: map.deletes })) {
    for (const [client, runs] of all) {
      let end = 0
      for (const { clock, length } of runs) {
        if (clock < end) {
          const ids = `operation ${clock} of Yjs client ${client}`
          report.problem(where, `${ids} is credited as ${what} twice`, TODO)
          break
        }
        end = clock + length
      }
    }
  }
}
