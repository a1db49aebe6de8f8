import { type Names, UI_COMMANDS, type UiCommand } from './commands.ts'
import type { UiFrame } from './frame.ts'
import type { Snapshot } from './snapshot.ts'

/** The completions at the end of the line. */
export interface Completion {
  /** The line with it. */
  line: string
  label: string
  what: string
}

/** A command line of the palette, understood. */
export interface Typed {
  command: UiCommand | null
  /** As typed, where `command` is null. */
  name: string
  values: Readonly<Record<string, string>>
}

/** Names offered at most (count). */
const MAX_COMPLETIONS = 8

const typeable = UI_COMMANDS.filter(({ keysOnly }) => keysOnly !== true)

/** `NAME WORD REST…`: each argument of the command takes a word, its last all the rest. */
export const readTyped = (line: string): Typed => {
  const [, name = '', rest = ''] = /^\s*(\S*)\s*([\s\S]*)$/.exec(line) ?? []
  const command = typeable.find((known) => known.name === name) ?? null
  const values: Record<string, string> = {}
  let left = rest
  for (const [i, { field }] of (command?.args ?? []).entries()) {
    const isLast = i === command!.args!.length - 1
    const [, word = '', more = ''] = /^(\S*)\s*([\s\S]*)$/.exec(left) ?? []
    const value = isLast ? left.trim() : word
    if (value !== '') values[field] = value
    left = more
  }
  return { command, name, values }
}

/** A name as one word of a command line: names with spaces are given by their id. */
const wordFor = (name: string, id: string): string => (/\s/.test(name) ? id : name)

/** The names of a kind: `word` as the line has it, `label` as people know it. */
const namesOf = (
  names: Names,
  snapshot: Snapshot,
): readonly { word: string; label: string; what: string }[] => {
  if (names === 'agent') {
    return snapshot.agents.map(({ agent }) => ({
      word: wordFor(agent.name, agent.agent_id),
      label: agent.name,
      what: agent.status,
    }))
  }
  if (names === 'file') {
    return snapshot.files.map(({ info }) => ({
      word: info.file_key,
      label: info.file_key,
      what: `v${info.version}`,
    }))
  }
  return []
}

export const completionsOf = (
  { snapshot }: Pick<UiFrame, 'snapshot'>,
  line: string,
): Completion[] => {
  const [, name = '', gap = '', rest = ''] = /^\s*(\S*)(\s*)([\s\S]*)$/.exec(line) ?? []
  if (gap === '') {
    const starts = typeable.filter((command) => command.name.startsWith(name))
    const holds = typeable.filter(
      (command) => !command.name.startsWith(name) && command.name.includes(name),
    )
    return [...starts, ...holds].map((command) => ({
      line: command.args === undefined ? command.name : `${command.name} `,
      label: [command.name, ...(command.args ?? []).map(({ field }) => field.toUpperCase())].join(
        ' ',
      ),
      what: command.what,
    }))
  }
  const command = typeable.find((known) => known.name === name)
  const words = rest.split(/\s+/)
  const at = words.length - 1
  const arg = command?.args?.[at]
  if (arg === undefined) return []
  const typed = words[at]!.toLowerCase()
  const head = line.slice(0, line.length - words[at]!.length)
  const isLast = at === command!.args!.length - 1
  return namesOf(arg.names, snapshot)
    .filter(({ word, label }) => [word, label].some((one) => one.toLowerCase().startsWith(typed)))
    .slice(0, MAX_COMPLETIONS)
    .map(({ word, label, what }) => ({ line: `${head}${word}${isLast ? '' : ' '}`, label, what }))
}
