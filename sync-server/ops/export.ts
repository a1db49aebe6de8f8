import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isSystemError } from '../../protocol/system-error.ts'
import { checkFileKey } from '../../workspace/document/path.ts'
import { getBlob, isBinary } from '../../workspace/files/blobs.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { allFiles, keysByFileId } from '../../workspace/files/tree.ts'
import { blobPath } from './blob-files.ts'
import type { Contents } from './contents.ts'
import { copyWhole } from './folder.ts'
import type { Format } from './formats.ts'
import { agentMarkdown, calledBy, messageMarkdown, taskMarkdown } from './markdown.ts'

export interface Exported {
  agents: number
  tasks: number
  broadcasts: number
  files: number
  /** Shared files that could not be written, and why. */
  left_out: { file_key: string; reason: string }[]
}

/** Writes what is in a workspace into a new folder; `data` has its blobs. `trace`: its Agent Trace record. */
export const exportWorkspace = async (
  contents: Contents,
  data: string,
  dir: string,
  format: Format,
  trace: AsyncIterable<string>,
): Promise<Exported> => {
  const exported: Exported = { agents: 0, tasks: 0, broadcasts: 0, files: 0, left_out: [] }
  await mkdir(dir, { mode: 0o700 })
  if (format !== 'files') {
    const { agents, tasks, broadcasts, workspace } = contents
    const writeAll = async <T>(
      name: 'agents' | 'tasks' | 'broadcasts',
      entries: Iterable<T> | AsyncIterable<T>,
      markdown: (entry: T) => string,
    ): Promise<void> => {
      const count = (): void => void exported[name]++
      const text =
        format === 'json'
          ? jsonLines(entries, count)
          : markdownOf(`${name} of ${workspace}`, entries, markdown, count)
      await writeFile(join(dir, `${name}.${format}`), text, { mode: 0o600 })
    }
    await writeAll('agents', agents, agentMarkdown)
    const nameOf = calledBy(agents)
    await writeAll('tasks', tasks(), (task) => taskMarkdown(task, nameOf))
    await writeAll('broadcasts', broadcasts(), (message) => messageMarkdown(message, nameOf))
    await writeFile(join(dir, 'agent-trace.json'), trace, { mode: 0o600 })
  }
  await writeFiles(contents, data, join(dir, 'files'), exported)
  return exported
}

/** One JSON array, an entry a line. */
const jsonLines = async function* <T>(
  entries: Iterable<T> | AsyncIterable<T>,
  count: () => void,
): AsyncGenerator<string> {
  let before = '[\n'
  for await (const entry of entries) {
    yield before + JSON.stringify(entry)
    before = ',\n'
    count()
  }
  yield before === ',\n' ? '\n]\n' : '[]\n'
}

const markdownOf = async function* <T>(
  title: string,
  entries: Iterable<T> | AsyncIterable<T>,
  markdown: (entry: T) => string,
  count: () => void,
): AsyncGenerator<string> {
  yield `# ${title}\n\n`
  for await (const entry of entries) {
    yield markdown(entry)
    count()
  }
}

/** Errors about one file name. Any other error concerns the disk, and so the whole export. */
const OF_ONE_NAME = new Set([
  ...['ENOENT', 'EEXIST', 'EISDIR', 'ENOTDIR', 'ENAMETOOLONG', 'EINVAL', 'EILSEQ'],
])

const writeFiles = async (
  { doc, workspace }: Contents,
  data: string,
  dir: string,
  exported: Exported,
): Promise<void> => {
  await mkdir(dir, { mode: 0o700 })
  // A few bytes of document name a text or blob again: each takes room once.
  const paths = keysByFileId(doc)
  const blobs = new Map<string, string>()
  for (const { key, entry } of allFiles(doc)) {
    try {
      // Whatever a client wrote into the document: nothing is written outside of the folder, nor over something.
      const path = join(dir, checkFileKey(key))
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      if (isBinary(entry)) {
        const { sha256 } = getBlob(doc, key)
        const first = blobs.get(sha256)
        if (first === undefined) await copyFile(blobPath(data, { workspace, sha256 }), path, 1)
        else await copyWhole(first, path, true)
        blobs.set(sha256, first ?? path)
      } else {
        const own = paths.get(entry.fileId)
        if (own !== key) throw new Error(`it is the same text as ${own}`)
        await writeFile(path, readFile(doc, key).content, { mode: 0o600, flag: 'wx' })
      }
      exported.files++
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (isSystemError(error) && !OF_ONE_NAME.has(error.code)) throw error
      const reason = code === 'ENOENT' ? 'its bytes are not on the server' : message
      exported.left_out.push({ file_key: key, reason })
    }
  }
}
