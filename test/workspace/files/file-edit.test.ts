import { describe, expect, it } from 'vitest'
import type { ClawError } from '../../../protocol/errors.ts'
import {
  appendText,
  parseLines,
  replaceLines,
  replaceText,
  takeLines,
} from '../../../workspace/files/file-edit.ts'
import { codeOf } from '../../support/workspace/replicas.ts'

const caught = (call: () => unknown): ClawError => {
  try {
    call()
  } catch (error) {
    return error as ClawError
  }
  throw new Error('nothing was thrown')
}

describe('replaceText', () => {
  it('replaces what is there once, or all', () => {
    expect(replaceText('a b\nc', 'b\nc', 'd', false)).toEqual({ content: 'a d', replaced: 1 })
    expect(replaceText('x-x-x', 'x', '', true)).toEqual({ content: '--', replaced: 3 })
    expect(replaceText('a $& b', '$&', '$1', false).content).toBe('a $1 b')
  })

  it('[FILE-11] fails where the text is not there, with what comes nearest', () => {
    const file = 'function parse(text) {\n  return split(text)\n}\n'
    const error = caught(() => replaceText(file, 'return  split( text )', 'x', false))
    expect(error).toMatchObject({ code: 'no_match', exit: 3 })
    expect(error.hint).toBe('nearest is line 2: "  return split(text)"')
    expect(caught(() => replaceText(file, 'zzzzzz', 'x', false)).hint).toMatch(/^file-get it/)
    expect(caught(() => replaceText(file, 'parse(code)', 'parse(text)', false)).hint).toBe(
      'the replacement is there already, at line 1',
    )
  })

  it('[FILE-11] fails where it is not said which of several is meant', () => {
    const error = caught(() => replaceText('a\nb\na\n', 'a', 'c', false))
    expect(error).toMatchObject({ code: 'ambiguous', exit: 2 })
    expect(error.message).toBe('the text is there 2 times, at lines 1, 3')
    expect(codeOf(() => replaceText('a', '', 'c', true))).toBe('usage')
  })

  it('takes LF for the line ends of a file with CRLF', () => {
    expect(replaceText('a\r\nb\r\nc', 'a\nb', 'x\ny', false).content).toBe('x\r\ny\r\nc')
    expect(replaceText('a\r\nb\nc', 'b\nc', 'x\ny', false).content).toBe('a\r\nx\ny')
  })
})

describe('lines', () => {
  it('are read as A-B or A', () => {
    expect(parseLines('3-5')).toEqual({ from: 3, to: 5 })
    expect(parseLines(' 7 ')).toEqual({ from: 7, to: 7 })
    for (const text of ['', '0', '5-3', 'a-b', '-3', '1-', '1.5', '1-2-3']) {
      expect(
        codeOf(() => parseLines(text)),
        text,
      ).toBe('usage')
    }
  })

  it('are taken with their ends', () => {
    expect(takeLines('a\nb\nc\n', 2, 3)).toBe('b\nc\n')
    expect(takeLines('a\nb', 2, 2)).toBe('b')
    expect(codeOf(() => takeLines('a\nb\n', 2, 3))).toBe('usage')
    expect(codeOf(() => takeLines('', 1, 1))).toBe('usage')
  })

  it('are replaced by any number of lines', () => {
    expect(replaceLines('a\nb\nc\n', 2, 2, 'x\ny')).toBe('a\nx\ny\nc\n')
    expect(replaceLines('a\nb\nc\n', 2, 2, 'x\n')).toBe('a\nx\nc\n')
    expect(replaceLines('a\nb\nc', 3, 3, 'x')).toBe('a\nb\nx')
    expect(replaceLines('a\nb\nc\n', 1, 2, '')).toBe('c\n')
    expect(replaceLines('a\r\nb\r\n', 1, 1, 'x\ny')).toBe('x\r\ny\r\nb\r\n')
  })
})

describe('appendText', () => {
  it.each([
    ['', 'a', 'a\n'],
    ['a', 'b', 'a\nb\n'],
    ['a\n', 'b\n', 'a\nb\n'],
    ['a\r\n', 'b\nc', 'a\r\nb\r\nc\r\n'],
  ])('%j and %j', (content, text, all) => expect(appendText(content, text)).toBe(all))
})
