import type { Key } from 'ink'

/** One key, by name: `j`, `G`, `ctrl-d`, `enter`, `shift-tab`. */
export interface Press {
  name: string
  /** The typed text; '' for a key that types nothing. */
  text: string
}

const NAMES: readonly [keyof Key, string][] = [
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['pageDown', 'pagedown'],
  ['pageUp', 'pageup'],
  ['home', 'home'],
  ['end', 'end'],
  ['return', 'enter'],
  ['escape', 'esc'],
  ['tab', 'tab'],
  ['backspace', 'backspace'],
  ['delete', 'delete'],
]

/** F1 as terminals send it; Ink knows no name for it. */
const F1_SENT = /\u001b(?:OP|\[(?:11~|\[A|P|57364u))/g
/** Stands for F1 in a text: a character that no keyboard types. */
const F1 = '\uf704'

/** The text that a terminal sent, with F1 as Ink lets it through. */
export const withF1 = (sent: string): string => sent.replace(F1_SENT, F1)

const CONTROLS: Readonly<Record<string, string>> = {
  [F1]: 'f1',
  '\r': 'enter',
  '\n': 'ctrl-j',
  '\t': 'tab',
  '\u0003': 'ctrl-c',
  '\u001b': 'esc',
  '\u007f': 'backspace',
}

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' })

/** Splits Ink's input into keys: fast typing arrives as one text, Enter included. */
export const pressesOf = (input: string, key: Key): Press[] => {
  if (key.eventType === 'release') return []
  const special = NAMES.find(([field]) => key[field] === true)
  if (special !== undefined) {
    // Terminals send DEL for backspace; Ink 8 tells the two apart by the key's name alone.
    const name = key.tab && key.shift ? 'shift-tab' : special[1]
    return [{ name: key.meta && name !== 'esc' ? `alt-${name}` : name, text: '' }]
  }
  if (key.ctrl) return input === '' ? [] : [{ name: `ctrl-${input.toLowerCase()}`, text: '' }]
  if (key.meta) return [{ name: `alt-${input}`, text: '' }]
  return Array.from(graphemes.segment(input), ({ segment }) => {
    const control = CONTROLS[segment]
    if (control !== undefined) return { name: control, text: '' }
    if (segment === ' ') return { name: 'space', text: ' ' }
    const code = segment.charCodeAt(0)
    if (code > 0 && code < 27) return { name: `ctrl-${String.fromCharCode(code + 96)}`, text: '' }
    return { name: segment, text: segment < ' ' ? '' : segment }
  })
}
