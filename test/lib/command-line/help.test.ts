import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { readProgram } from '../../../lib/command-line/read.ts'
import {
  type CommandSpec,
  type Flag,
  type Flags,
  takesValue,
} from '../../../lib/command-line/spec.ts'
import { usageOf } from '../../../lib/command-line/usage.ts'
import type { ChoiceType, ValueType } from '../../../lib/command-line/value-types.ts'
import { FORMATS } from '../../../sync-server/ops/formats.ts'
import { parseState } from '../../../workspace/tasks/task-states.ts'
import { COMMANDS, PROGRAMS } from '../../support/command-line/programs.ts'
import { root } from '../../support/server.ts'

const visible = (flags: Flags): [string, Flag][] =>
  Object.entries(flags).filter(([, { hidden }]) => hidden !== true)

/** A value of that type. */
const valueFor = (type: ValueType): string => {
  if (type.kind === 'choice') return type.words[0]!
  return type.kind === 'span' ? '1d' : '1'
}

/** A flag with a value that it may have, where it must have one. */
const given = ([name, flag]: [string, Flag]): string[] =>
  takesValue(flag) ? [`--${name}`, flag.type ? valueFor(flag.type) : '1'] : [`--${name}`]

/** The flag, with those that it cannot be given without. */
const together = ({ flags, needs = [], either = [] }: CommandSpec, name: string): string[] => {
  const all = new Set([name])
  const add = (one: string | undefined) => one !== undefined && all.add(one)
  const partners = () => {
    for (const one of [...all]) {
      add(flags[one]!.with)
      for (const [other, flag] of Object.entries(flags))
        if (flag.isPair && flag.with === one) add(other)
    }
  }
  partners()
  for (const need of needs) {
    if (need.some((one) => all.has(one))) continue
    add(need.find((one) => !either.some((no) => no.includes(one) && no.some((x) => all.has(x)))))
  }
  partners()
  return [...all]
}

/** The words of an example, as a shell without files and variables reads them. */
const words = (example: string): string[] => {
  const [command = ''] = example.split(' > ')
  return [...command.matchAll(/(?:[^\s"']+|"[^"]*"|'[^']*')+/g)].map(([word]) =>
    word.replaceAll(/["']/g, ''),
  )
}

it('[ARGS-1] every flag that a command takes is explained with its default, and is taken', () => {
  for (const { called, program, spec, help } of COMMANDS) {
    const own = visible(spec.flags)
    for (const [name, flag] of own) {
      expect(flag.what, `${called} --${name}`).toMatch(/./)
      expect(help.match(new RegExp(`^ .*--${name}(?![\\w-]).*$`, 'm')), called).not.toBeNull()
      if (flag.otherwise !== undefined) {
        const said = `default: ${flag.otherwise}`.replaceAll(' ', '\\s+').replaceAll('?', '\\?')
        expect(help, `${called} --${name}`).toMatch(new RegExp(said))
      }
    }
    const stand = spec.name === '' ? [] : [spec.name]
    for (const [name] of own) {
      const line = together(spec, name).flatMap((one) => given([one, spec.flags[one]!]))
      const { has } = readProgram(program, [...stand, ...line])
      expect([...has], `${called} --${name}`).toContain(name)
    }
  }
})

it('[ARGS-1] a command’s usage names its flags and no others', () => {
  for (const { called, program, spec } of COMMANDS) {
    if (spec.name === '') continue
    const named = new Set([...usageOf(spec).matchAll(/--([a-z][\w-]*)/g)].map(([, name]) => name!))
    for (const [name] of visible(spec.flags)) {
      if (spec.operands?.includes(name)) continue
      expect([...named], called).toContain(name)
    }
    const known = { ...program.common, ...spec.flags }
    for (const name of named) expect(Object.keys(known), called).toContain(name)
  }
})

it('[ARGS-1] no flag is there that nobody looks at', () => {
  // A verb's flags are the fields of its action's input.
  const folderOf = join(root, 'workspace/actions')
  const actions = readdirSync(folderOf, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folderOf, file), 'utf8'))
    .join('\n')
  for (const [folder, { program }] of ['agent', 'sync-server', 'tui'].map(
    (name, i) => [name, PROGRAMS[i]!] as const,
  )) {
    const sources = readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(
        (file) =>
          /\.tsx?$/.test(file) && !/verb-table\/(?!completion)|flags\.ts|commands\.ts/.test(file),
      )
      .map((file) => readFileSync(join(root, folder, file), 'utf8'))
      .join('\n')
    for (const { flags, needs = [], either = [] } of [program.root, ...program.commands]) {
      for (const [name, flag] of visible(flags)) {
        // One that only says which of several ways is meant has done so once the line is read.
        if (!takesValue(flag) && [...needs, ...either].some((all) => all.includes(name))) continue
        const isField =
          actions.includes(` ${name.replaceAll('-', '_')}: `) || actions.includes(`'${name}'`)
        if (folder === 'agent' && isField) continue
        expect(sources, `${folder} --${name}`).toContain(`'${name}'`)
      }
    }
  }
})

it('[ARGS-1] [ARGS-6] help has name, usage, exit codes and examples, and is short', () => {
  for (const { called, spec, help } of COMMANDS) {
    expect(help.startsWith(`${called}: ${spec.summary}`), called).toBe(true)
    expect(help, called).toContain(`usage: ${called}`)
    expect(help, called).toMatch(/^examples:\n {2}\S/m)
    if (called !== 'clawlink-sync') expect(help, called).toMatch(/^exit codes: 0 \S/m)
    // What an agent reads is paid for by the byte: some 600 tokens for a verb, 1,600 for all of them. Who hosts a server
    // reads all its limits.
    const most = called === 'clawlink-sync' ? 6_800 : spec.name === '' ? 6_600 : 2_600
    expect(help.length, called).toBeLessThan(most)
  }
})

it('[ARGS-1] a flag that means one thing in front of a verb means the same behind it', () => {
  for (const { program } of PROGRAMS) {
    const kinds = new Map<string, boolean>()
    for (const { flags } of program.commands) {
      for (const [name, flag] of Object.entries(flags)) {
        if (Object.hasOwn(program.root.flags, name)) continue // the program's own comes first there
        expect(kinds.get(name) ?? takesValue(flag), `${program.name} --${name}`).toBe(
          takesValue(flag),
        )
        kinds.set(name, takesValue(flag))
      }
    }
  }
})

it('[ARGS-2] every example is a command line that is taken, of the command that it is an example of', () => {
  for (const { called, program, spec } of COMMANDS) {
    expect(spec.examples.length, called).toBeGreaterThan(0)
    for (const example of spec.examples) {
      const { command } = readProgram(program, words(example))
      if (spec.name !== '') expect(command?.name, example).toBe(spec.name)
    }
  }
})

it('[ARGS-1] the values that a help lists are those that are taken', () => {
  const values = ({ program }: (typeof PROGRAMS)[number], command: string, flag: string) =>
    program.commands.find(({ name }) => name === command)!.flags[flag]!.type as ChoiceType
  const [agent, sync] = [PROGRAMS[0]!, PROGRAMS[1]!]
  expect(values(sync, 'export', 'format').words).toEqual(FORMATS)
  for (const [verb, flag] of [
    ['respond', 'status'],
    ['tasks', 'state'],
  ] as const) {
    for (const state of values(agent, verb, flag).words) expect(parseState(state)).toMatch(/./)
  }
})
