import type * as Y from 'yjs'
import { ClawError } from '../../protocol/errors.ts'
import type { FileKey } from '../../protocol/ids.ts'
import { checkFileKey } from '../document/path.ts'
import { appendText, replaceLines, replaceText } from '../files/file-edit.ts'
import { readFile } from '../files/file-info.ts'
import type { PutResult } from '../files/put-file.ts'
import { findLeaf } from '../files/tree.ts'
import { action, type Write } from './action.ts'
import type { FileActor, HeldText } from './file-actor.ts'
import * as inputs from './inputs/files.ts'
import { writeText } from './write-text.ts'

/** A change of a text: the text before, null for a new file, and the text after. */
interface Edit {
  base: string | null
  content: string
}

/**
 * Makes an edit. `held`: the text that the writer had seen; null: the present one. `seen`: the text that the writer's line
 * numbers refer to afterwards; null: the same as before.
 */
const write = <T extends object>(
  actor: FileActor,
  key: FileKey,
  payload: unknown,
  edit: (doc: Y.Doc) => Edit & { more?: T },
  held: HeldText | null,
  seen: (done: Edit, known: (read: HeldText | null) => number) => HeldText | null,
): Promise<PutResult & T> => {
  const by = actor.agent
  const frees: Write['frees'] = (doc) => {
    const { base, content } = edit(doc)
    return content.length < (base ?? '').length
  }
  return actor.once({ payload, frees }, ({ doc }, merge) => {
    const { more, ...done } = edit(doc)
    const merging = merge === undefined ? {} : { merge }
    const put = { key, ...done, by, now: actor.now(), ...merging }
    const { result, known } = writeText(doc, put, held?.content)
    const after = seen(done, known)
    if (after !== null) actor.keepLines(key, after)
    return { ...result, ...more } as PutResult & T
  })
}

const roles = ['write', 'admin'] as const
const errors = ['not_text', 'bad_path', 'bad_text', 'too_large'] as const

/** Replaces a text in a file. */
export const editText = action({
  name: 'edit',
  roles,
  errors: [...errors, 'unknown_file', 'no_match', 'ambiguous'],
  input: inputs.editText,
  run: async (actor: FileActor, input): Promise<PutResult & { replaced: number }> => {
    const { find, replace, all } = input
    const key = checkFileKey(input.key)
    const held = await actor.heldLines(key)
    return write(
      actor,
      key,
      input,
      (doc) => {
        const base = readFile(doc, key).content
        const { content, replaced } = replaceText(base, find, replace, all)
        return { base, content, more: { replaced } }
      },
      held,
      // The same edit in the text that the agent has seen keeps its line numbers valid.
      (_, known) =>
        held && { version: known(held), content: sameIn(held.content, find, replace, all) },
    )
  },
})

/** The text after the same edit; unchanged where that does not fit. */
const sameIn = (content: string, find: string, replace: string, all: boolean): string => {
  try {
    return replaceText(content, find, replace, all).content
  } catch {
    return content
  }
}

/** Replaces lines, counted in a version that the writer has read. */
export const editLines = action({
  name: 'edit',
  roles,
  errors: [...errors, 'unknown_file', 'no_base', 'unknown_version'],
  input: inputs.editLines,
  run: async (actor: FileActor, input): Promise<PutResult> => {
    const { from_line, to_line } = input
    const key = checkFileKey(input.key)
    const held = await actor.heldLines(key, input.base_version)
    return write(
      actor,
      key,
      input,
      (doc) => {
        readFile(doc, key)
        if (held === null) throw unread(key)
        const content = replaceLines(held.content, from_line, to_line, input.with)
        return { base: held.content, content }
      },
      held,
      ({ content }, known) => ({ version: known(held), content }),
    )
  },
})

const unread = (key: string): ClawError =>
  new ClawError(
    'no_base',
    `you have not read ${key}, so line numbers say nothing`,
    'file-get it first, or edit by --find and --replace',
  )

/** Adds lines at the end of a file, and creates it where there is none. */
export const append = action({
  name: 'append',
  roles,
  errors,
  input: inputs.append,
  run: async (actor: FileActor, input): Promise<PutResult> => {
    const key = checkFileKey(input.key)
    const held = await actor.heldLines(key)
    return write(
      actor,
      key,
      input,
      (doc) => {
        const base = findLeaf(doc, key) === null ? null : readFile(doc, key).content
        return { base, content: appendText(base ?? '', input.text) }
      },
      // The end of a file, such as a log, belongs to everybody.
      null,
      ({ base, content }, known) =>
        held !== null && held.content === base ? { version: known(held), content } : null,
    )
  },
})
