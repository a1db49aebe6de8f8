import type * as Y from 'yjs'
import { type BlobSource, downloadBlob, type Transfer, uploadBlob } from '../../../client/blobs.ts'
import { isAway } from '../../../client/session/outbox.ts'
import { cannotWrite, writeLocalBy } from '../../../lib/disk/local-write.ts'
import { shellFlag } from '../../../lib/text/quote.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { FileKey } from '../../../protocol/ids.ts'
import { shareBytes } from '../../../workspace/actions/share-bytes.ts'
import type { Json } from '../../../workspace/document/schema.ts'
import { readFileEntry } from '../../../workspace/document/shape.ts'
import {
  blobInfo,
  blobVersions,
  getBlob,
  isBinary,
  notText,
} from '../../../workspace/files/blobs.ts'
import { fileInfo } from '../../../workspace/files/file-info.ts'
import { checkPutBlob, type PutBlobResult, putBlob } from '../../../workspace/files/put-blob.ts'
import { findLeaf, getFile, idFor } from '../../../workspace/files/tree.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Call, Outcome } from '../../command/call.ts'
import { Progress } from '../../command/progress.ts'
import { act, type Printed } from '../../command/replica-actor.ts'
import { oneLine, path } from '../../command/text.ts'
import {
  answeredBefore,
  checkWrites,
  mergingWrite,
  WorkspaceSession,
} from '../../command/workspace-session.ts'

/**
 * Shares bytes: uploads them first, then writes their name into the document. While they move, other commands of the
 * profile go on. Throws what `putBlob` and `uploadBlob` throw; with the server away nothing is changed.
 */
export const shareLocal = async (call: Call, key: FileKey, blob: BlobSource): Promise<Outcome> => {
  const { sha256, size } = blob
  const isNew = call.has('new')
  const given = { sha256, size, ...(isNew && { if_absent: true }) }
  const input = inputOf(call, shareBytes.input, given)
  checkWrites(call)
  let session = await openOnline(call)
  const { base_sha256: _, ...payload } = input
  if ((await answeredBefore(call, session.replica, payload as Json)) === null) {
    const known = (await session.replica.blob(key))?.sha256 ?? null
    const put = { key, sha256, size, known, force: input.force, isNew }
    checkPutBlob(session.doc, { ...put, by: session.me(), now: session.now() })
    await call.close()
    // Also what the document names already: it costs nothing where the server has it, and mends what is lost.
    await moving(call, 'uploading', key, size, (transfer) => uploadBlob(transfer, blob))
    session = await WorkspaceSession.open(call, true)
  }
  return act(call, shareBytes, input, printShared, session)
}

const printShared = ({ file, created, changed, replaced }: PutBlobResult): Printed => {
  const { file_key: key, version, size, media_type } = file
  const what = created ? 'created' : changed ? 'changed' : 'unchanged'
  const data = { conflicts: [], lines: [], replaced: replaced ?? undefined }
  const lines = [`${what} ${path(key)} version ${version}, ${size} bytes, ${path(media_type)}`]
  if (replaced === null) return { data, lines, notes: [] }
  const sha256 = replaced.sha256.slice(0, 12)
  const get = `file-get ${shellFlag('key', key)} --sha256 ${sha256} --output PATH`
  const note = `you had not read what ${replaced.by} put into ${path(key)}; it is kept: ${get}`
  return { data, lines, notes: [note] }
}

const openOnline = async (call: Call): Promise<WorkspaceSession> => {
  try {
    return await WorkspaceSession.open(call, false)
  } catch (error) {
    if (!isAway(error)) throw error
    throw new ClawError(
      error.code,
      `${error.message}; what is not text goes through the server, so nothing was shared`,
      'nothing is lost: put it again when the server is back',
    )
  }
}

/** True if a binary file of this path was removed and is still kept. */
export const isRemovedBytes = (doc: Y.Doc, key: FileKey): boolean => {
  const entry = readFileEntry(doc, key)
  return (
    entry?.removed !== undefined &&
    entry.removed.movedTo === undefined &&
    findLeaf(doc, key) === null &&
    isBinary(entry) &&
    blobVersions(doc, entry.fileId).length > 0
  )
}

/** Brings a removed file back with its newest version, whose bytes the server still has. */
export const restoreBytes = (call: Call, team: WorkspaceSession, key: FileKey): Promise<Outcome> =>
  mergingWrite(
    call,
    { key, version: null },
    ({ doc }) => {
      const [newest] = blobVersions(doc, idFor(doc, key))
      const { sha256, size } = newest!
      const put = { key, sha256, size, known: sha256, by: team.me(), now: team.now() }
      const { file, changed, created } = putBlob(doc, put)
      team.replica.keepBlob(key, { version: file.version, sha256 })
      return {
        data: { file, changed, created },
        lines: [`${path(key)} is there again; it is version ${file.version}`],
      }
    },
    team,
  )

/** A file that is not text, for a caller that asked for it: into a file, or as JSON without its content. */
export const readBytes = async (
  call: Call,
  team: WorkspaceSession,
  typed: string,
): Promise<Outcome> => {
  const { key, entry } = getFile(team.doc, typed)
  const output = call.flag('output')
  const wanted = call.flag('sha256')
  const newest = fileInfo(team.doc, key)
  if (output === undefined && !call.has('json')) throw notText(key, entry.mediaType)
  const versions = blobVersions(team.doc, entry.fileId).map(blobInfo)
  if (output === undefined) {
    return { data: { file: { ...newest, versions }, ...team.admitOffline() }, lines: [] }
  }
  const { sha256, size, mediaType } = getBlob(team.doc, key, wanted)
  if (team.offline !== null) throw team.offline
  const isNewest = sha256 === newest.sha256
  await call.close()
  await moving(call, 'downloading', key, size, (transfer) =>
    writeWhole(call, output, (file) => downloadBlob(transfer, { sha256, size }, file)),
  )
  if (isNewest) {
    const replica = await team.reopened()
    replica.keepBlob(key, { version: newest.version, sha256 })
    await replica.commit()
  }
  const { version, ...facts } = newest
  const file = {
    ...facts,
    ...(isNewest && { version }),
    sha256,
    size,
    media_type: mediaType,
    versions,
  }
  const which = isNewest ? ` version ${version}` : `, ${sha256.slice(0, 12)},`
  return { data: { file }, lines: [oneLine(`${path(key)}${which} is in ${output}`)] }
}

/** Moves bytes between here and the server, showing how far it is. */
const moving = async (
  call: Call,
  what: string,
  key: string,
  size: number,
  move: (transfer: Transfer) => Promise<void>,
): Promise<void> => {
  const progress = new Progress(call, what, key, size)
  const onProgress = (bytes: number) => progress.show(bytes)
  const { target, workspace } = call
  try {
    await move({ ...target, workspace, signal: call.request.signal, onProgress })
  } catch (error) {
    if (!isAway(error)) throw error
    throw new ClawError(
      error.code,
      error.message,
      'nothing was changed; run the same command again: an upload continues',
    )
  } finally {
    progress.close()
  }
}

const writeWhole = async (
  call: Call,
  output: string,
  fill: Parameters<typeof writeLocalBy>[1],
): Promise<void> => {
  const local = call.resolve(output)
  try {
    await writeLocalBy(local, fill)
  } catch (cause) {
    throw cannotWrite(output, local, cause)
  }
}
