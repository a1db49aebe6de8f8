import fc from 'fast-check'
import { expect, it } from 'vitest'
import { readProgram } from '../../../lib/command-line/read.ts'
import type { Program } from '../../../lib/command-line/spec.ts'
import { types } from '../../../lib/command-line/value-types.ts'
import { PROGRAMS } from '../../support/command-line/programs.ts'

const PROGRAM: Program = {
  name: 'p',
  noun: 'verb',
  root: {
    name: '',
    ...{ summary: '', usage: '', examples: [] },
    flags: { at: { value: 'A', type: types.name, what: '' }, help: { short: 'h', what: '' } },
  },
  commands: [
    {
      name: 'say',
      ...{ summary: '', examples: [] },
      operands: ['text'],
      flags: {
        text: { value: 'T', type: types.text, what: '' },
        loud: { what: '' },
        wait: { type: types.seconds(), optional: true, what: '' },
      },
      needs: [['text']],
    },
  ],
  common: { at: { value: 'A', type: types.name, what: '' }, help: { short: 'h', what: '' } },
}

const read = (...argv: string[]) => {
  const { command, values, has } = readProgram(PROGRAM, argv)
  return { command: command?.name, values: Object.fromEntries(values), has: [...has] }
}

it('[ARGS-4] flags stand before or after the command, with their value or =value; two values of one are refused', () => {
  const said = { command: 'say', values: { text: 'hi', at: 'x' }, has: ['at', 'text'] }
  expect(read('--at', 'x', 'say', 'hi')).toEqual(said)
  expect(read('say', 'hi', '--at=x')).toMatchObject({ values: said.values })
  expect(read('--at', 'x', 'say', '--at', 'x', '--text', 'hi')).toMatchObject({
    values: said.values,
  })
  expect(() => read('--at', 'y', 'say', '--at', 'x', 'hi')).toThrow(
    '--at is given twice, with two values',
  )
  expect(read('--at', 'say', 'say', 'hi')).toMatchObject({ values: { at: 'say', text: 'hi' } })
})

it('[ARGS-4] [ARGS-7] text that begins with a dash is text, unless it is a flag; after -- it is in any case', () => {
  for (const text of ['-', '-5 degrees', '- item', '--', '-->', '--loud is what it says', '---']) {
    expect(read('say', '--text', text).values, text).toEqual({ text })
    if (text !== '--') expect(read('say', text).values, text).toEqual({ text })
    expect(read('say', '--', text).values, text).toEqual({ text })
  }
  expect(read('say', '--', '--loud')).toMatchObject({ values: { text: '--loud' }, has: ['text'] })
  expect(read('say', '--text', '-x').values).toEqual({ text: '-x' })
})

it('[ARGS-4] a number after a flag that may have one is its value, a word is not', () => {
  expect(read('say', '--wait', '60', 'hi').values).toEqual({ wait: '60', text: 'hi' })
  expect(read('say', '--wait', 'hi').values).toEqual({ wait: '', text: 'hi' })
  expect(read('--wait', 'say', 'hi').values).toEqual({ wait: '', text: 'hi' })
})

it.each([
  [['sya', 'hi'], 'no verb "sya"', 'did you mean say?'],
  [['zzzzzz'], 'no verb "zzzzzz"', 'run p --help'],
  [['--loudd', 'hi'], 'p has no flag --loudd', 'run p --help'],
  [['say', '--laud', 'hi'], 'say has no flag --laud', 'did you mean --loud?'],
  [['say', '-x', 'hi'], 'say has no flag -x', 'usage: p say T [--loud] [--wait [SECONDS]]'],
  [['say', '--text'], '--text has no value', 'usage: p say T [--loud] [--wait [SECONDS]]'],
  [
    ['say', '--text', '--loud'],
    '--text has no value',
    'usage: p say T [--loud] [--wait [SECONDS]]',
  ],
  [
    ['say', 'hi', '--loud=1'],
    '--loud takes no value',
    'usage: p say T [--loud] [--wait [SECONDS]]',
  ],
  [['say', 'hi', 'ho'], 'unexpected argument "ho"', 'usage: p say T [--loud] [--wait [SECONDS]]'],
  [['say', 'hi', '--text', 'ho'], '--text and "hi" say the same', 'give one of them'],
  [['say'], '--text is missing', 'usage: p say T [--loud] [--wait [SECONDS]]'],
  [
    ['say', 'hi', '--constructor'],
    'say has no flag --constructor',
    'usage: p say T [--loud] [--wait [SECONDS]]',
  ],
])('[ARGS-4] %j is wrong, and what to do is said', (argv, message, hint) => {
  expect(() => read(...argv)).toThrow(expect.objectContaining({ code: 'usage', message, hint }))
})

it('[ARGS-4] --help and -h ask for no more', () => {
  for (const help of ['--help', '-h']) {
    expect(read('say', help)).toMatchObject({ command: 'say', has: ['help'] })
    expect(read(help, 'say')).toMatchObject({ command: 'say', has: ['help'] })
  }
})

it('[ARGS-4] help is a word for --help, of a command too; a command’s text may be that word', () => {
  expect(read('help')).toMatchObject({ has: ['help'] })
  expect(read('help', 'say')).toMatchObject({ command: 'say', has: ['help'] })
  expect(read('--at', 'x', 'help', 'say')).toMatchObject({ command: 'say', values: { at: 'x' } })
  expect(read('say', 'help').values).toEqual({ text: 'help' })
  expect(() => read('help', 'shout')).toThrow('no verb "shout"')
})

it('[ARGS-4] whatever is typed is understood, or refused as usage', () => {
  const words = PROGRAMS.flatMap(({ program }) =>
    program.commands.flatMap(({ name, flags }) => [
      name,
      ...Object.keys(flags).map((f) => `--${f}`),
    ]),
  )
  const word = fc.oneof(fc.constantFrom(...new Set(words)), fc.string({ maxLength: 8 }))
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), fc.nat(PROGRAMS.length - 1), (argv, which) => {
      try {
        readProgram(PROGRAMS[which]!.program, argv)
      } catch (error) {
        expect(error).toMatchObject({ code: 'usage' })
      }
    }),
  )
})
