import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBlank } from '../../../lib/text/visible.ts'
import { readJsonText } from '../../../workspace/document/json.ts'
import { MAX_VALUE_DEPTH } from '../../../workspace/document/values.ts'

const read = (text: string) => readJsonText(text, '--context')
const problem = (text: string): string => {
  try {
    return `read: ${JSON.stringify(read(text))}`
  } catch (error) {
    const { code, message, hint } = error as { code: string; message: string; hint: string }
    expect(code).toBe('bad_json')
    return `${message} — ${hint}`
  }
}

describe('JSON as it was given', () => {
  it('[TEXT-11] numbers that would be rounded are refused, others stay what they are', () => {
    for (const number of ['1196451234567890123', '9007199254740993', '1e400', '1e-400']) {
      expect(problem(`{"n":[-${number}]}`)).toBe(
        `--context: the number ${number} would be rounded — put it in quotes: "${number}"`,
      )
      expect(read(`"${number}"`)).toBe(number)
    }
    expect(problem(`[${'9'.repeat(5_000)}]`).length).toBeLessThan(200)
    for (const number of ['0.12345678901234567891', '12345678901234567890.5']) {
      expect(problem(number)).toMatch(/would be rounded/)
    }
    const kept = ['9007199254740992', '0.1', '1.50', '1E2', '-0.0', '0e9', '1e300', '5e-324']
    for (const number of kept) expect(read(number)).toBe(Number(number))
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(read(JSON.stringify(n))).toBe(n === 0 ? 0 : n)
      }),
    )
  })

  it('[TEXT-11] everything that JSON.stringify writes is read, whatever it is', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), (value) => {
        const text = JSON.stringify(value)
        if (/\\ud[89a-f]|__proto__/.test(text)) return
        expect(read(text)).toEqual(JSON.parse(text))
        expect(read(`\ufeff ${JSON.stringify(value, null, 2)}\r\n`)).toEqual(JSON.parse(text))
      }),
    )
  })

  it('[TEXT-11] half characters, keys that are there twice or cannot be kept are refused', () => {
    expect(problem('{"a":"\\ud800"}')).toMatch(/the text "\\ud800" has half a character in it/)
    expect(problem('["\\ude00\\ud83d"]')).toMatch(/half a character/)
    expect(problem('{"\\udfff":1}')).toMatch(/half a character/)
    expect(read('"\\ud83d\\ude00"')).toBe('😀')
    for (const key of ['"__proto__"', '"\\u005f_proto__"', `"__proto__"${' '.repeat(99)}`]) {
      expect(problem(`[{${key}: {}}]`)).toMatch(/the key "__proto__" cannot be kept/)
    }
    expect(problem('{"a":1,"b":{"a":2},"\\u0061":3}')).toMatch(/the key "a" is there twice/)
    expect(read('{"a":{"a":["__proto__","a","a"]},"b":[{"a":1},{"a":2}]}')).toBeTruthy()
    expect(read('{"constructor":1,"toString":2}')).toEqual({ constructor: 1, toString: 2 })
  })

  it('[TEXT-12] what is nested deeper than the document takes is refused, however deep, and never recursed into', () => {
    const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels)
    expect(read(nested(MAX_VALUE_DEPTH))).toBeTruthy()
    for (const levels of [MAX_VALUE_DEPTH + 1, 5_000, 1_000_000]) {
      expect(problem(nested(levels))).toMatch(/^--context: it is nested deeper than 16 levels — /)
      expect(problem('{"a":'.repeat(levels))).toMatch(/nested deeper/)
    }
    expect(read(JSON.stringify('['.repeat(100)))).toHaveLength(100)
  })

  it('[TEXT-11] what is not JSON is refused with what is wrong', () => {
    const texts = ['', ' ', '{', '}', '[1,]', '{"a"}', '"\\', '"', "{'a':1}", '01', '"\\x"', 'NaN']
    for (const text of texts) expect(problem(text), text).toMatch(/^--context is not JSON: /)
    expect(problem('\ufeff\ufeff1')).toMatch(/is not JSON/)
  })
})

it('[TEXT-13] a text is blank where nothing of it can be seen', () => {
  for (const text of ['', ' \n\t', '\u00a0\u3000', '\u200b\u2060\ufeff', '\u2800', '\u{e0041}']) {
    expect(isBlank(text), JSON.stringify(text)).toBe(true)
  }
  for (const text of ['.', ' a', '👩‍👩‍👧', '\u0301', 'می\u200cخواهم'])
    expect(isBlank(text)).toBe(false)
})
