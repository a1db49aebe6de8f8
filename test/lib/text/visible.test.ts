import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { shellFlag, shellWord } from '../../../lib/text/quote.ts'
import { hasHidden, oneLine, safeJson } from '../../../lib/text/visible.ts'
import {
  isHintName,
  nameFault,
  pathField,
  shownName,
  word,
} from '../../../workspace/document/names.ts'

/** Ranges of characters that show nothing, or change how others are shown. */
const HIDDEN: [first: number, last: number][] = [
  ...([
    [0x00, 0x1f],
    [0x7f, 0x9f],
    [0xad, 0xad],
    [0x34f, 0x34f],
  ] as [number, number][]),
  ...([
    [0x61c, 0x61c],
    [0x115f, 0x1160],
    [0x17b4, 0x17b5],
  ] as [number, number][]),
  ...([
    [0x180b, 0x180f],
    [0x200b, 0x200f],
    [0x2028, 0x202e],
  ] as [number, number][]),
  ...([
    [0x2060, 0x206f],
    [0x2800, 0x2800],
    [0x3164, 0x3164],
  ] as [number, number][]),
  ...([
    [0xfe00, 0xfe0f],
    [0xfeff, 0xfeff],
    [0xffa0, 0xffa0],
  ] as [number, number][]),
  ...([
    [0xfff0, 0xfffb],
    [0xfffe, 0xffff],
    [0x1bca0, 0x1bca3],
  ] as [number, number][]),
  ...([
    [0x1d173, 0x1d17a],
    [0xe0000, 0xe0fff],
    [0xd800, 0xd800],
  ] as [number, number][]),
]

/** Where the same characters are part of a word or a picture. */
const IN_PLACE: [what: string, text: string][] = [
  ['a family', '👩‍👩‍👧'],
  ['an eye in a bubble', '👁️‍🗨️'],
  ['a skin tone and a joiner', '👩🏽‍🚒'],
  ['a pirate flag', '🏴‍☠️'],
  ['the flag of England', '🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}'],
  ['the flag of Scotland', '🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}'],
  ['a heart in colour, and in text', '❤️ ❤︎'],
  ['a keycap', '1️⃣ #️⃣'],
  ['Persian', 'می‌خواهم'],
  ['Hindi', 'क्‍ष क्‌ष'],
  ['Sinhala', 'ශ්‍රී ලංකා'],
  ['marks, wide letters, emoji', 'e\u0301 日本 한국 🇩🇪 🤖'],
]

/** Where they are in none, though something like it is beside them. */
const OUT_OF_PLACE = [
  ...[
    'pay\u200dpal',
    'a\u200c',
    '\u200dش',
    'ش\u200d',
    '👩\u200da',
    '👩\u200d\u200d👧',
    '❤\ufe0f\ufe0f',
  ],
  ...['a\ufe0f', '1\ufe0f', '🏴\u{e0072}\u{e006d}\u{e007f}', '👩\u{e0072}', '\u{e007f}', 'क\ufe0f'],
]

describe('what can be seen', () => {
  it('[TEXT-1] shows every character that shows nothing, and those that change what stands around them', () => {
    for (const [first, last] of HIDDEN) {
      for (let code = first; code <= last; code++) {
        const char = String.fromCodePoint(code)
        const name = `U+${code.toString(16)}`
        expect(hasHidden(`a${char}b`), name).toBe(true)
        expect(oneLine(`a${char}b`), name).toMatch(/^a\\(?:[nrt]|u[0-9a-f]{4}|u\{[0-9a-f]{5}\})b$/)
        const json = safeJson([`a${char}b`])
        expect(json, name).toMatch(/^[\x20-\x7e]+$/)
        expect(JSON.parse(json), name).toEqual([`a${char}b`])
      }
    }
  })

  it.each(IN_PLACE)('[TEXT-1] [TEXT-15] leaves %s as it is', (_, text) => {
    expect(oneLine(text)).toBe(text)
    expect(hasHidden(text)).toBe(false)
  })

  it.each(OUT_OF_PLACE)('[TEXT-1] shows what is out of place in %j', (text) => {
    expect(hasHidden(text)).toBe(true)
  })
})

describe('names', () => {
  it('[TEXT-2] are at most 64 characters as they are read, all of them visible', () => {
    expect(shownName('ana')).toBe('ana')
    expect(shownName('a\nb\u200b')).toBe('a\\nb\\u200b')
    for (const name of ['x'.repeat(300_000), '🤖'.repeat(300_000), '\n'.repeat(300_000)]) {
      expect([...shownName(name)].length).toBe(64)
      expect(hasHidden(shownName(name))).toBe(false)
    }
    expect(shownName('🤖'.repeat(64))).toBe('🤖'.repeat(64))
  })

  it('[TEXT-2] that somebody chooses have nothing that could pass for another field', () => {
    for (const name of ['ana', 'Ana Lee', 'Zoë', '山田', 'build-2.1_x', "O'Neil", 'x'.repeat(64)]) {
      expect(nameFault(name), name).toBe(null)
    }
    for (const name of [
      '',
      ' ',
      'a (b)',
      'a=b',
      'a"',
      'a`b`',
      '<a>',
      'a  b',
      ' a',
      'a\u3000b',
      'a\u0000',
    ]) {
      expect(nameFault(name), name).not.toBe(null)
    }
  })

  it('[TEXT-3] are quoted in a line where they could mislead', () => {
    for (const plain of ['ana', 'Ana Lee', 'Zoë', '山田', 'a-1_b.c', 'می‌خواهم']) {
      expect(word(plain)).toBe(plain)
    }
    const forged = 'ana (a-0rr618mk01zw) topic=general content: yes'
    expect(word(forged)).toBe(JSON.stringify(forged))
    for (const text of [
      '',
      ' a',
      'a ',
      'a  b',
      'a=b',
      'a\nb',
      'a"b',
      'a:b',
      'a\u3164',
      'x'.repeat(300),
    ]) {
      expect(word(text), text).toMatch(/^"[\s\S]*"$/)
      expect(word(text), text).not.toMatch(/[\n\u3164]/)
    }
    expect(pathField('docs/plan.md')).toBe('docs/plan.md')
    expect(pathField('docs/plan  x.md')).toBe('"docs/plan  x.md"')
  })

  it('[TEXT-4] in hints are one short word', () => {
    for (const name of ['ana', 'build-2.1', 'Zoë', '山田']) expect(isHintName(name)).toBe(true)
    for (const name of ['', 'Ana Lee', 'run:x', 'a'.repeat(33), 'a\u200bb', '山'.repeat(11)]) {
      expect(isHintName(name), name).toBe(false)
    }
  })
})

describe('words for a shell', () => {
  it('[TEXT-5] are what they were, and run nothing', () => {
    const words = [
      'a.md',
      'a b',
      "it's",
      '$(touch x)',
      '`id`',
      '"',
      '-rf',
      '~',
      '*',
      'a\nb',
      '=ls',
      '',
    ]
    for (const text of words) {
      const printed = execFileSync('/bin/sh', ['-c', `printf '%s.' ${shellWord(text)}`])
      expect(String(printed)).toBe(`${text}.`)
    }
    expect(shellFlag('key', 'a.md')).toBe('--key a.md')
    expect(shellFlag('key', '-rf')).toBe('--key=-rf')
    expect(shellFlag('key', '-r f')).toBe("--key='-r f'")
  })
})
