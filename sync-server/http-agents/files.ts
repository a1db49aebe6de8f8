import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import { newMessageId } from '../../protocol/fresh-ids.ts'
import { writeText } from '../../workspace/actions/writing.ts'
import { checkFileKey } from '../../workspace/document/path.ts'
import { textOf as fileText } from '../../workspace/document/schema.ts'
import { versionOf } from '../../workspace/files/edit-counts.ts'
import { appendText, replaceLines, replaceText } from '../../workspace/files/file-edit.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { moveFile, removeFile } from '../../workspace/files/move-file.ts'
import { putBlob } from '../../workspace/files/put-blob.ts'
import type { PutResult } from '../../workspace/files/put-file.ts'
import { findLeaf } from '../../workspace/files/tree.ts'
import { tellReplaced } from '../../workspace/inbox/conflicts.ts'
import { baseOf, baseText, heldBy } from './bases.ts'
import { type ActionContext, registered } from './context.ts'
import { merging } from './merging.ts'
import { type Base, put as stored } from './records.ts'

export interface NewText {
  key: string
  content: string
  force?: boolean | undefined
  /** The version that was changed; left out: what the guest, or else its token, was handed. */
  base_version?: number | undefined
  /** There must be no file of this path. */
  if_absent?: boolean | undefined
}

/** Puts a file as a change of what its writer had in its hands. Throws what `putFile` throws, and `unknown_version`. */
export const writeShared = async (
  act: ActionContext,
  token: string | null,
  given: NewText,
): Promise<PutResult> => {
  const { guest, key: once } = act
  registered(guest)
  const key = checkFileKey(given.key)
  const { content, force = false, if_absent: isNew = false } = given
  return guest.turn(async () => {
    const held = await heldBy(act, token, { ...given, key })
    if (given.base_version !== undefined && held === null) {
      throw new ClawError(
        'unknown_version',
        `version ${given.base_version} of ${key} is not there, or not kept`,
        'get the file, and make your change in what it is now',
      )
    }
    const frees = (doc: Y.Doc): boolean => content.length < lengthOf(doc, key)
    const put = { key: once, what: 'put', payload: given, frees }
    return mergingAs(act, (merge) =>
      guest.writeNow(put, (desk) => {
        const by = guest.agent
        const now = act.env.now()
        const write = { key, content, base: held?.text ?? null, by, now, force, isNew, merge }
        const { known, ...result } = writeText(desk.doc, write, newMessageId)
        // What it has in its hands is what it put, not what came of it.
        const { fileId, version } = baseOf(desk.doc, result.file)
        const same = readFile(desk.doc, result.file.file_key).content === content
        const after: Base = same
          ? { fileId, version }
          : { fileId, version: known(held?.base ?? null), content, result: version }
        desk.ops.push(stored(desk.drawer.base(result.file.file_key), after))
        return result
      }),
    )
  })
}

const mergingAs = <T>(
  { env, guest }: ActionContext,
  write: Parameters<typeof merging<T>>[2],
): Promise<T> => merging(env.texts, (ms) => guest.spent(ms), write)

/** Of a file's text (UTF-16 units); 0: there is none. */
const lengthOf = (doc: Y.Doc, key: string): number => {
  const leaf = findLeaf(doc, key)
  return leaf === null ? 0 : fileText(doc, leaf.entry.fileId).length
}

/** How a text is to be changed, as it is now, or in lines of a version. */
export type TextEdit =
  | { find: string; replace: string; all?: boolean | undefined }
  | { append: string }
  | { from_line: number; to_line: number; with: string; base_version: number }

export const editShared = (
  act: ActionContext,
  typed: string,
  edit: TextEdit,
): Promise<PutResult> => {
  const { guest, env } = act
  registered(guest)
  const key = checkFileKey(typed)
  return guest.turn(async () => {
    const leaf = findLeaf(guest.room.doc, key)
    const isOld = 'base_version' in edit && leaf !== null
    const isThere = isOld && edit.base_version <= versionOf(guest.room.doc, leaf.entry.fileId)
    const old = isThere
      ? await baseText(env, guest.room, { fileId: leaf.entry.fileId, version: edit.base_version })
      : null
    if (isOld && old === null) {
      throw new ClawError(
        'unknown_version',
        `version ${edit.base_version} of ${key} is not there, or not kept`,
        'get the file; line numbers are those of the version that you name',
      )
    }
    const change = (doc: Y.Doc): { base: string | null; content: string } => {
      const isNew = findLeaf(doc, key) === null && 'append' in edit
      const base = old ?? (isNew ? null : readFile(doc, key).content)
      return { base, content: edited(base ?? '', edit) }
    }
    const frees = (doc: Y.Doc): boolean => {
      const { base, content } = change(doc)
      return content.length < (base ?? '').length
    }
    const once = { key: act.key, what: 'edit', payload: [key, edit], frees }
    return mergingAs(act, (merge) =>
      guest.writeNow(once, ({ doc }) => {
        const write = { key, ...change(doc), by: guest.agent, now: env.now(), merge }
        const { known: _, ...result } = writeText(doc, write, newMessageId)
        return result
      }),
    )
  })
}

const edited = (content: string, edit: TextEdit): string => {
  if ('find' in edit)
    return replaceText(content, edit.find, edit.replace, edit.all ?? false).content
  if ('append' in edit) return appendText(content, edit.append)
  return replaceLines(content, edit.from_line, edit.to_line, edit.with)
}

/** `known`: the version that the remover has read; null: it does not matter. Throws `unknown_file`, `stale`. */
export const removeShared = (
  { env, guest, key: once }: ActionContext,
  key: string,
  known: number | null,
) => {
  registered(guest)
  const frees = (): boolean => true
  return guest.write({ key: once, what: 'remove', payload: [key, known], frees }, ({ doc }) => {
    removeFile(doc, checkFileKey(key), guest.agent, env.now(), known)
    return { removed: key }
  })
}

export const moveShared = (
  { env, guest, key: once }: ActionContext,
  key: string,
  to: string,
  force: boolean,
) => {
  registered(guest)
  return guest.write({ key: once, what: 'move', payload: [key, to, force] }, ({ doc }) => ({
    file: moveFile(doc, checkFileKey(key), to, guest.agent, env.now(), force),
    moved_from: key,
  }))
}

export interface NewBytes {
  key: string
  sha256: string
  size: number
  /** Name of the version that the writer has read. */
  base_sha256?: string | undefined
  force: boolean
  if_absent?: boolean | undefined
}

/** Makes bytes that the server has the newest version of a file. Throws `unknown_blob`, and what `putBlob` throws. */
export const shareBytes = async ({ env, guest, key: once }: ActionContext, given: NewBytes) => {
  registered(guest)
  const { key, sha256, size, base_sha256: known = null, force, if_absent: isNew = false } = given
  if ((await env.blobs.size(guest.room.name, sha256)) !== size) {
    throw new ClawError(
      'unknown_blob',
      `there is no blob ${sha256} of ${size} bytes here`,
      'PUT it first',
    )
  }
  return guest.write({ key: once, what: 'bytes', payload: given }, ({ doc }) => {
    const [by, now] = [guest.agent, env.now()]
    const put = { key: checkFileKey(key), sha256, size, known, by, now, force, isNew }
    const result = putBlob(doc, put)
    if (result.replaced !== null) {
      tellReplaced(doc, by, result.file.file_key, result.replaced, newMessageId, now)
    }
    return result
  })
}
