import { PassThrough } from 'node:stream'
import { expect, it } from 'vitest'
import { parseTuiOptions } from '../../tui/options.ts'
import { KeysOnly } from '../../tui/terminal/mouse.ts'
import {
  canAskGround,
  type Ground,
  groundOf,
  splitGround,
  THEMES,
} from '../../tui/terminal/theme.ts'
import { isColoured, paletteOf, styled } from '../../tui/ui/palette.ts'
import { seg, type Tone } from '../../tui/ui/rows.ts'

const TONES: readonly Tone[] = ['plain', 'dim', 'strong', 'accent', 'good', 'warn', 'bad']
const GROUNDS: readonly Ground[] = ['dark', 'light', null]

/** Colours of text by SGR that a theme uses. */
const coloursOf = (theme: (typeof THEMES)[number], ground: Ground): number[] => {
  const palette = paletteOf(theme, ground)
  const parts = TONES.flatMap((tone) => palette[tone].split(';')).map(Number)
  return parts.filter((part) => part >= 30)
}

it('[TUI-86] themes use the 16 colours of the terminal, and what reads on its ground', () => {
  for (const theme of THEMES) {
    for (const ground of GROUNDS) {
      for (const colour of coloursOf(theme, ground)) {
        expect((colour >= 30 && colour <= 37) || (colour >= 90 && colour <= 97)).toBe(true)
      }
    }
  }
  const YELLOW_WHITE = [33, 37, 93, 97]
  for (const pale of YELLOW_WHITE) expect(coloursOf('auto', 'light')).not.toContain(pale)
  for (const pale of YELLOW_WHITE) expect(coloursOf('auto', null)).not.toContain(pale)
  expect(coloursOf('auto', 'dark')).not.toContain(34)
  expect(paletteOf('auto', 'light')).toBe(paletteOf('light', 'dark'))
})

it('[TUI-86] words of a language have the colours that read on the ground', () => {
  const inks = (ground: Ground) => Object.values(paletteOf('auto', ground).words)
  expect(inks('dark').every((ink) => ink.endsWith('Bright'))).toBe(true)
  for (const pale of [...inks('dark'), 'cyan', 'yellow', 'white']) {
    expect(inks('light')).not.toContain(pale)
  }
  for (const ground of GROUNDS) expect(new Set(inks(ground)).size).toBe(4)
})

it('[TUI-86] mono has no colours, high contrast nothing dim', () => {
  for (const ground of GROUNDS) {
    expect(coloursOf('mono', ground)).toEqual([])
    expect(isColoured(paletteOf('mono', ground))).toBe(false)
    expect(paletteOf('high-contrast', ground).dim).toBe('')
    expect(paletteOf('high-contrast', ground).bad).toMatch(/^1;/)
  }
})

it('[TUI-86] neighbours that look alike are one, and a row ends as it began', () => {
  const palette = paletteOf('auto', null)
  const row = [seg('a'), seg('b', 'bad'), seg('c', 'bad'), { ...seg('d', 'bad'), picked: true }]
  expect(styled(row, palette)).toBe('a\u001b[31mbc\u001b[0m\u001b[7md\u001b[0m')
  expect(styled([seg('', 'bad'), seg('x')], palette)).toBe('x')
})

it('[TUI-86] the ground is what the terminal says, whole or in parts, or COLORFGBG', () => {
  expect(groundOf('15;0')).toBe('dark')
  expect(groundOf('0;default;15')).toBe('light')
  for (const unknown of [undefined, '', '0;default', 'x;y']) expect(groundOf(unknown)).toBeNull()
  const grounds = (text: string) => splitGround(text).grounds
  expect(grounds('\u001b]11;rgb:ffff/ffff/ffff\u0007')).toEqual(['light'])
  expect(grounds('\u001b]11;rgb:1e/1e/2e\u001b\\')).toEqual(['dark'])
  expect(grounds('\u001b]11;rgba:f/f/f/f\u0007')).toEqual(['light'])
  expect(grounds('\u001b]11;nonsense\u0007')).toEqual([null])
  for (const dumb of ['dumb', 'linux', 'vt100', '', undefined]) {
    expect(canAskGround(dumb)).toBe(false)
  }
  expect(canAskGround('xterm-256color')).toBe(true)
})

it('[TUI-86] its answer is no key, wherever it is cut', () => {
  const sent = 'a\u001b]11;rgb:0000/0000/0000\u001b\\b\u001b[<0;3;4Mc'
  for (let cut = 0; cut <= sent.length; cut++) {
    // What may be a key is one; terminals send their answers at once.
    if (['\u001b', '['].includes(sent[cut - 1]!)) continue
    const stdin = Object.assign(new PassThrough(), {
      ...{ isTTY: true, setRawMode: () => {}, ref: () => {}, unref: () => {} },
    }) as unknown as NodeJS.ReadStream
    const found: unknown[] = []
    const keys = new KeysOnly(
      stdin,
      ({ x, y }) => found.push([x, y]),
      (ground) => found.push(ground),
    )
    let typed = ''
    keys._transform(sent.slice(0, cut), 'utf8', () => {})
    keys._transform(sent.slice(cut), 'utf8', () => {})
    for (let chunk = keys.read(); chunk !== null; chunk = keys.read()) typed += chunk
    expect([cut, typed, found.sort()]).toEqual([cut, 'abc', [[2, 3], 'dark']])
    keys.close()
  }
})

it('[TUI-86] --theme and CLAWLINK_THEME choose one', () => {
  const themeOf = (argv: string[], env = {}) => {
    const read = parseTuiOptions(argv, env, '1')
    return typeof read === 'string' ? read : read.theme
  }
  expect(themeOf([])).toBeUndefined()
  expect(themeOf(['--theme', 'light'], { CLAWLINK_THEME: 'dark' })).toBe('light')
  expect(themeOf([], { CLAWLINK_THEME: 'high-contrast' })).toBe('high-contrast')
  expect(() => themeOf([], { CLAWLINK_THEME: 'pink' })).toThrow(/pink.* is not a theme/)
  expect(() => themeOf(['--theme', 'pink'])).toThrow()
})
