import { MAX_VERSION } from '../../../protocol/limits.ts'
import { readAbout, readHead, textAfter } from '../../history/versions/record.ts'
import type { LevelUpdateLog } from '../../storage/level-update-log.ts'
import type { Report } from './report.ts'

/** Advice for a damaged version: only an old text is lost; the document has the file. */
const TODO = 'the file itself is whole; restore the newest backup only if its old versions matter'

/** Checks the kept versions of a workspace's files: every one can be read. `keys`: of versions, that there are in all. */
export const verifyVersions = async (
  log: LevelUpdateLog,
  workspace: string,
  keys: number,
  report: Report,
): Promise<void> => {
  const where = `workspace ${workspace}, versions`
  const heads = await report.look(where, () => log.versions.heads(workspace), TODO)
  if (heads === null) return
  let seen = 0
  for (const [file, head] of heads) {
    seen += await verifyFile(log, workspace, file, head, report)
  }
  if (2 * seen !== keys) {
    report.problem(where, `there are ${keys} keys of versions, and files have ${2 * seen}`, TODO)
  }
}

const verifyFile = async (
  log: LevelUpdateLog,
  workspace: string,
  file: string,
  headValue: Uint8Array,
  report: Report,
): Promise<number> => {
  const where = `workspace ${workspace}, versions of ${JSON.stringify(file)}`
  const { versions } = log
  const found = await report.look(
    where,
    () => versions.abouts(workspace, file, 0, MAX_VERSION, Number.POSITIVE_INFINITY),
    TODO,
  )
  if (found === null) return 0
  await report.look(
    where,
    () => {
      const head = readHead(headValue)
      if (head.version !== found.at(-1)?.version || head.count !== found.length) {
        throw new Error(`${head.count} up to ${head.version} were noted, ${found.length} are there`)
      }
    },
    TODO,
  )
  let text: string | null = null
  for (const { version, about } of found) {
    report.counts.versions++
    const read = async (): Promise<string> => {
      const { base, size } = readAbout(about)
      const [content] = await versions.contents(workspace, file, version, version)
      if (content === undefined) throw new Error('its content is missing')
      const after = textAfter(base === version ? null : text, content)
      if (Buffer.byteLength(after) === size) return after
      throw new Error(`its text has ${Buffer.byteLength(after)} bytes instead of ${size}`)
    }
    text = await report.look(`${where}, ${version}`, read, TODO)
  }
  return found.length
}
