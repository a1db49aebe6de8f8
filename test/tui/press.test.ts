import type { Key } from 'ink'
import { expect, it } from 'vitest'
import { commandFor } from '../../tui/model/commands.ts'
import { actionOf } from '../../tui/model/editor-keys.ts'
import { pressesOf, withF1 } from '../../tui/terminal/press.ts'

it('[TUI-6] what comes in one go is each of its keys, a control among what is typed, too', () => {
  const names = (input: string) => pressesOf(input, {} as Key).map(({ name }) => name)
  expect(names('ab\u0013')).toEqual(['a', 'b', 'ctrl-s'])
  expect(names('x\r')).toEqual(['x', 'enter'])
  expect(names('\u0015\u001b')).toEqual(['ctrl-u', 'esc'])
})

it('[TUI-71] F1 is a key, however a terminal sends it', () => {
  for (const sent of ['\u001bOP', '\u001b[11~', '\u001b[[A', '\u001b[P', '\u001b[57364u']) {
    expect(pressesOf(withF1(`a${sent}b`), {} as Key).map(({ name }) => name)).toEqual([
      'a',
      'f1',
      'b',
    ])
  }
  expect(commandFor('f1', 'files')?.name).toBe('help')
  expect(actionOf('f1')?.does).toBe('keys')
})
