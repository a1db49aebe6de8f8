import { cannotWrite, writeLocal } from '../../../lib/disk/local-write.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { isBinary } from '../../../workspace/files/blobs.ts'
import { versionOf } from '../../../workspace/files/edit-counts.ts'
import { parseLines, takeLines } from '../../../workspace/files/file-edit.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { findLeaf, getFile } from '../../../workspace/files/tree.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { oneLine, path } from '../../command/text.ts'
import { askVersion, fetchVersion } from '../../command/versions.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'
import { readBytes } from './binary.ts'
import { copyFiles } from './file-copy.ts'

export const fileGet: Verb = async (call) => {
  if (call.has('prefix')) return copyFiles(call)
  const output = call.flag('output')
  const lines = call.flag('lines')
  if (output !== undefined && lines !== undefined) {
    throw new ClawError('usage', '--output takes the whole file, not --lines', 'give one of them')
  }
  if (call.has('sha256') && output === undefined) {
    throw new ClawError('usage', '--sha256 goes with --output', 'name a file to write it to')
  }
  const wanted = lines === undefined ? null : parseLines(lines)
  const asked = askVersion(call)
  const team = await WorkspaceSession.open(call, asked === null)
  await team.confirm()
  const key = call.flag('key')!
  if (asked === null && wanted === null) {
    const isText = !call.has('sha256') && !isBinary(getFile(team.doc, key).entry)
    if (!isText) return readBytes(call, team, key)
  }
  const past = asked === null ? null : await fetchVersion(call, key, asked)
  const file = past?.version ?? readFile(team.doc, key)
  const file_key = past?.file_key ?? file.file_key
  const isNewest = past === null || isNewestVersion(team, file_key, file.version)
  if (!isNewest) call.notes.push(notNewest(file.version))
  if (wanted !== null) {
    return isNewest ? someLines(team, { ...file, file_key }, wanted) : linesOf(file, wanted)
  }

  const { version, content } = file
  const keepBase = async () => {
    if (!isNewest) return
    const replica = await team.reopened()
    replica.keepBase(file_key, { version, content })
    await replica.commit()
  }
  const data = { file, ...team.admitOffline() }
  if (output === undefined) return { data, lines: [], content, after: keepBase }

  write(call, output, content)
  await keepBase()
  return { data, lines: [oneLine(`${path(file_key)} version ${version} is in ${output}`)] }
}

const isNewestVersion = ({ doc }: WorkspaceSession, key: string, version: number): boolean => {
  const leaf = findLeaf(doc, key)
  return leaf !== null && versionOf(doc, leaf.entry.fileId) === version
}

/**
 * An old version is for reading only: the agent's next change still starts from the newest version
 * that it read.
 */
const notNewest = (version: number): string =>
  `version ${version} is not the newest: your next file-put or file-edit still changes what you read before; file-restore brings this one back`

/** Part of an old version. */
const linesOf = (
  file: { content: string },
  { from, to }: { from: number; to: number },
): Outcome => {
  const content = takeLines(file.content, from, to)
  return { data: { file: { ...file, content, from_line: from, to_line: to } }, lines: [], content }
}

/**
 * Part of a file. A later file-edit can use its line numbers, but a file-put cannot use it as a
 * base.
 */
const someLines = (
  team: WorkspaceSession,
  file: { file_key: string; version: number; content: string },
  { from, to }: { from: number; to: number },
): Outcome => {
  const { file_key, version, content } = file
  const part = takeLines(content, from, to)
  team.point(getFile(team.doc, file_key).entry.fileId, { from_line: from, to_line: to })
  return {
    data: {
      file: { ...file, content: part, from_line: from, to_line: to },
      ...team.admitOffline(),
    },
    lines: [],
    content: part,
    after: async () => {
      const replica = await team.reopened()
      replica.keepSeen(file_key, { version, content }, { from_line: from, to_line: to })
      await replica.commit()
    },
  }
}

const write = (call: Call, output: string, content: string): void => {
  const local = call.resolve(output)
  try {
    writeLocal(local, content)
  } catch (cause) {
    throw cannotWrite(output, local, cause)
  }
}
