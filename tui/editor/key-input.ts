import type { Key } from 'ink'
import { pressesOf } from '../terminal/press.ts'

/** A key of the editor by name, with `ctrl-`, `alt-`, `shift-` in this order before it; or text that is typed. */
export type EditorPress = { key: string } | { text: string }

const MOVING: readonly (keyof Key)[] = [
  ...(['upArrow', 'downArrow', 'leftArrow', 'rightArrow'] as const),
  ...(['pageUp', 'pageDown', 'home', 'end', 'delete', 'backspace'] as const),
]

/** Input as Ink delivers it. Text that arrives at once stays one piece, and so one edit. */
export const editorPresses = (input: string, key: Key): EditorPress[] => {
  const presses: EditorPress[] = []
  const hasModifier = MOVING.some((field) => key[field] === true)
  for (const { name, text } of pressesOf(input, key)) {
    if (text === '') {
      const bare = hasModifier ? name.replace(/^alt-/, '') : name
      const [ctrl, alt, shift] = [key.ctrl, key.meta, key.shift].map((is) => hasModifier && is)
      presses.push({
        key: `${ctrl ? 'ctrl-' : ''}${alt ? 'alt-' : ''}${shift ? 'shift-' : ''}${bare}`,
      })
      continue
    }
    const last = presses.at(-1)
    if (last !== undefined && 'text' in last) last.text += text
    else presses.push({ text })
  }
  return presses
}

/** True for a character, a line end or a tab. */
export const isTyped = (press: EditorPress): boolean =>
  'text' in press || ['enter', 'ctrl-j', 'tab'].includes(press.key)
