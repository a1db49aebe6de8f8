import { mkdirSync } from 'node:fs'
import { cannotWrite } from '../../../lib/disk/local-write.ts'
import { counted } from '../../../lib/text/count.ts'
import { shellFlag } from '../../../lib/text/quote.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { isBinary } from '../../../workspace/files/blobs.ts'
import { listFiles, readFile } from '../../../workspace/files/file-info.ts'
import { getFile } from '../../../workspace/files/tree.ts'
import type { Call, Outcome } from '../../command/call.ts'
import { oneLine, path } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'
import { Folder } from '../../mirror/disk/folder.ts'
import { whyOf } from '../../mirror/disk/way.ts'
import { guardOf } from '../../mirror/rules/guarded.ts'
import { checkPrefix, isGit, problemOf, relOf } from '../../mirror/rules/paths.ts'

/** Skipped files that are named on stderr (count). */
const MAX_NAMED = 10

interface Copied {
  file_key: string
  version: number
  content: string
}

/**
 * Writes all shared texts below a prefix into a folder, without the prefix, as a mirror would, once. Existing files are
 * replaced; no symbolic link is followed. Each file counts as read.
 */
export const copyFiles = async (call: Call): Promise<Outcome> => {
  const prefix = checkPrefix(call.flag('prefix')!)
  const output = call.flag('output')!
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const found = listFiles(team.doc, prefix)
  if (found.length === 0) {
    const hint = 'file-list shows what is shared'
    throw new ClawError('unknown_file', `no shared file begins with ${prefix}`, hint)
  }
  const folder = openFolder(call, output)
  const copied: Copied[] = []
  const skipped: { file_key: string; why: string }[] = []
  for (const { file_key } of found) {
    const rel = relOf(prefix, file_key)!
    const why = whyNot(rel) ?? (await copy(folder, rel, file_key, team, copied))
    if (why !== null) skipped.push({ file_key, why })
  }
  const replica = await team.reopened()
  for (const { file_key, version, content } of copied)
    replica.keepBase(file_key, { version, content })
  await replica.commit()
  const more = skipped.length - MAX_NAMED
  const files = copied.map(({ file_key, version }) => ({ file_key, version }))
  return {
    data: { files, count: files.length, skipped, ...team.admitOffline() },
    lines: [oneLine(`${counted(copied.length, 'file')} of ${prefix || 'all'} in ${output}`)],
    notes: [
      ...skipped
        .slice(0, MAX_NAMED)
        .map(({ file_key, why }) => oneLine(`skipped ${path(file_key)}: ${why}`)),
      ...(more > 0 ? [`and ${more} more: --json has all`] : []),
    ],
  }
}

const openFolder = (call: Call, output: string): Folder => {
  const local = call.resolve(output)
  try {
    mkdirSync(local, { recursive: true })
  } catch (cause) {
    throw cannotWrite(output, local, cause)
  }
  return new Folder(local)
}

const whyNot = (rel: string): string | null =>
  problemOf(rel) ?? guardOf(rel) ?? (isGit(rel) ? 'git keeps its own files there' : null)

/** Writes one file; the cause why it was not, or null. */
const copy = async (
  folder: Folder,
  rel: string,
  key: string,
  { doc }: WorkspaceSession,
  copied: Copied[],
): Promise<string | null> => {
  if (isBinary(getFile(doc, key).entry)) {
    return `it is not text: file-get ${shellFlag('key', key)} --output PATH`
  }
  const { file_key, version, content } = readFile(doc, key)
  const seen = folder.look(rel)
  if (seen.kind === 'moving') return 'another program is writing it'
  if (seen.kind === 'other') return seen.why
  try {
    const before = seen.kind === 'text' ? seen.text : null
    const isThere = before === content || (await folder.replace(rel, content, before)).done
    if (!isThere) return 'another program is writing it'
  } catch (error) {
    return whyOf(error)
  }
  copied.push({ file_key, version, content })
  return null
}
