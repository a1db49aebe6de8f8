import type { Ran } from '../../../client/resident/run.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import type { FileVersion } from '../../../workspace/files/file-state.ts'

/** Texts of a file, oldest first, as clawlink-agent's `file-log` and `file-get` tell of them; a minute lies between two. */
export const versionsOf = (texts: readonly string[], editors: readonly string[], now: number) => {
  const all = texts.map((content, i): FileVersion & { content: string } => ({
    ...{ file_key: 'notes.md', version: i + 1, size: content.length, content },
    ...{ last_editor: editors[i % editors.length]!, editors: [editors[i % editors.length]!] },
    updated_at: isoTime(now - 60_000 * (texts.length - i)),
    ...{ change_sets: 1, added_lines: 1, removed_lines: i === 0 ? 0 : 1 },
    ...{ added_bytes: 0, removed_bytes: 0 },
  }))
  const flag = (argv: readonly string[], name: string): number | null => {
    const found = argv.find((word) => word.startsWith(`--${name}=`))
    return found === undefined ? null : Number(found.slice(name.length + 3))
  }
  return (argv: readonly string[]): Ran => {
    const [verb] = argv
    if (verb === 'file-get') {
      const file = all[flag(argv, 'version')! - 1]
      return { code: 0, data: { file }, stderr: '' }
    }
    const before = flag(argv, 'before') ?? Number.POSITIVE_INFINITY
    const older = all.filter(({ version }) => version < before).reverse()
    const versions = older.slice(0, flag(argv, 'limit')!)
    const more = older.length > versions.length
    return { code: 0, data: { file_key: 'notes.md', versions, more }, stderr: '' }
  }
}
