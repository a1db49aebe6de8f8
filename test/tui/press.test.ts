import type { Key } from 'ink'
import { expect, it } from 'vitest'
import { pressesOf } from '../../tui/terminal/press.ts'

it('[TUI-6] what comes in one go is each of its keys, a control among what is typed, too', () => {
  const names = (input: string) => pressesOf(input, {} as Key).map(({ name }) => name)
  expect(names('ab\u0013')).toEqual(['a', 'b', 'ctrl-s'])
  expect(names('x\r')).toEqual(['x', 'enter'])
  expect(names('\u0015\u001b')).toEqual(['ctrl-u', 'esc'])
})
