import type { Look, Word } from '../highlight/look.ts'
import type { Ground, Theme } from '../terminal/theme.ts'
import type { Segment, Tone } from './rows.ts'

/** The terminal's colours by name, in the order of SGR. */
export const COLOURS = [
  ...(['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'] as const),
] as const

type Colour = (typeof COLOURS)[number]
type Ink = Colour | `${Colour}Bright`

/** The parameters of SGR sequences by tone: of the terminal's own 16 colours; '' for none. */
export type Palette = Readonly<Record<Tone, string>> & {
  /** The colours of words in a language. */
  words: Readonly<Record<Word, Ink>>
}

const BASE: Palette = {
  ...{ plain: '', dim: '2', strong: '1' },
  // Cyan, green, magenta and red read on any ground; yellow, white and blue do not.
  ...{ accent: '36', good: '32', warn: '35', bad: '31' },
  words: { keyword: 'magenta', string: 'green', value: 'cyan', taken: 'red' },
}
const DARK: Palette = {
  ...{ ...BASE, accent: '96', good: '92', warn: '93', bad: '91' },
  words: {
    ...{ keyword: 'magentaBright', string: 'greenBright' },
    ...{ value: 'cyanBright', taken: 'redBright' },
  },
}
const LIGHT: Palette = { ...BASE, accent: '34', words: { ...BASE.words, value: 'blue' } }
/** Without colours what matters is bold, so that it still stands out. */
const MONO: Palette = { ...BASE, accent: '1', good: '', warn: '1', bad: '1' }
/** Nothing is dim, and colours are bold. */
const contrasting = (palette: Palette): Palette => ({
  ...{ ...palette, dim: '' },
  ...{ accent: `1;${palette.accent}`, good: `1;${palette.good}` },
  ...{ warn: `1;${palette.warn}`, bad: `1;${palette.bad}` },
})

const FOR_GROUND = { dark: DARK, light: LIGHT } as const
const CONTRAST = {
  ...{ dark: contrasting(DARK), light: contrasting(LIGHT), any: contrasting(BASE) },
} as const

export const isColoured = (palette: Palette): boolean => palette !== MONO

/** The palette of a theme on a ground. */
export const paletteOf = (theme: Theme, ground: Ground): Palette => {
  switch (theme) {
    case 'auto':
      return ground === null ? BASE : FOR_GROUND[ground]
    case 'dark':
    case 'light':
      return FOR_GROUND[theme]
    case 'mono':
      return MONO
    case 'high-contrast':
      return CONTRAST[ground ?? 'any']
  }
}

const codeOf = (ink: Ink): string => {
  const at = COLOURS.findIndex((colour) => ink.startsWith(colour))
  return String(at + (ink.endsWith('Bright') ? 90 : 30))
}

/** The parameters of a word: without colours it is bold or dim at most. */
const wordSgr = ({ word, bold, dim }: Look, tone: Tone, palette: Palette): string => {
  const isInked = word !== undefined && isColoured(palette)
  const parts = [
    bold ? '1' : '',
    // A theme may have nothing dim.
    dim ? palette.dim : '',
    isInked ? codeOf(palette.words[word]) : palette[tone],
  ]
  return parts.filter((part) => part !== '').join(';')
}

const sgr = ({ tone = 'plain', picked = false, look }: Segment, palette: Palette): string => {
  if (picked) return tone === 'strong' ? '7;1' : '7'
  return look === undefined ? palette[tone] : wordSgr(look, tone, palette)
}

/** Ends all that a palette begins. */
const END = '\u001b[0m'

/** A row as a terminal draws it; neighbours that look alike are one. */
export const styled = (row: readonly Segment[], palette: Palette): string => {
  let text = ''
  let now = ''
  for (const segment of row) {
    if (segment.text === '') continue
    const next = sgr(segment, palette)
    if (next !== now) {
      if (now !== '') text += END
      if (next !== '') text += `\u001b[${next}m`
      now = next
    }
    text += segment.text
  }
  return now === '' ? text : text + END
}
