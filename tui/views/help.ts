import { commandGroups, keyLabel, TYPING, type UiCommand } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import type { Place } from '../model/state.ts'
import { fitText } from '../text/display.ts'
import { type Row, rowText, rowWidth, seg } from '../ui/rows.ts'
import { paragraph } from './parts/page.ts'
import { legend } from './parts/symbols.ts'
import { placeOf } from './picked.ts'

/** Cells of the keys and of the name of a command. */
const KEYS_CELLS = 24
const NAME_CELLS = 14

/** The title of the group of commands that a place has. */
const GROUP_OF: Readonly<Record<Place, string>> = {
  me: 'Tasks',
  agents: 'Agents',
  tasks: 'Tasks',
  feed: 'Feed',
  files: 'Files',
  suggestions: 'Suggestions',
  past: 'History, replay, checkpoints',
  undo: 'Everywhere',
}

interface Entry {
  lead: Row
  what: string
}

const keysOf = (keys: readonly string[], cells: number) =>
  seg(fitText(`  ${keys.map(keyLabel).join(' ')}`, cells), 'accent')

const entryOf = ({ keys, name, what, keysOnly }: UiCommand): Entry => {
  const typed = seg(fitText(keysOnly ? '' : `:${name}`, NAME_CELLS), 'dim')
  return { lead: [keysOf(keys, KEYS_CELLS), typed], what }
}

/** The groups of the help: that of the place first, then what goes everywhere, then the other places. */
const groupsFor = (place: Place): readonly (readonly [string, readonly Entry[]])[] => {
  const groups = commandGroups().map(([title, commands]) => [title, commands.map(entryOf)] as const)
  const here = GROUP_OF[place]
  const rank = (title: string) =>
    title === here ? 0 : title === 'Everywhere' ? 1 : title === 'Moving' ? 2 : 3
  const typing = TYPING.map(({ keys, what }) => ({
    ...{ lead: [keysOf(keys, KEYS_CELLS + NAME_CELLS)], what },
  }))
  const signs = legend().map(([mark, what]) => ({ lead: [seg('  '), mark], what }))
  return [
    ...groups.sort(([a], [b]) => rank(a) - rank(b)),
    ['While typing', typing],
    ['Signs', signs.map(({ lead, what }) => ({ lead: wide(lead, KEYS_CELLS), what }))],
  ]
}

const wide = (row: Row, cells: number): Row => [
  ...row,
  seg(' '.repeat(Math.max(1, cells - rowWidth(row)))),
]

/** All that can be done and all signs, in as many lines as it takes; with `query` what has all its words. */
export const helpLines = (width: number, place: Place = 'agents', query = ''): Row[] => {
  const words = query
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
  const told = ({ lead, what }: Entry): Row[] => {
    const indent = rowWidth(lead)
    return paragraph(what, Math.max(20, width - indent)).map((line, i) => [
      ...(i === 0 ? lead : [seg(' '.repeat(indent))]),
      ...line,
    ])
  }
  const rows = groupsFor(place).flatMap(([title, entries], i): Row[] => {
    const found = entries.filter(({ lead, what }) => {
      const text = `${title} ${rowText(lead)} ${what}`.toLowerCase()
      return words.every((word) => text.includes(word))
    })
    if (found.length === 0) return []
    const here = i === 0 && words.length === 0 ? '  (here)' : ''
    return [[seg(title, 'strong'), seg(here, 'dim')], ...found.flatMap(told), []]
  })
  return rows.length > 0 ? rows : [[seg('nothing has these words', 'dim')]]
}

/** The lines of the open help. */
export const shownHelp = (look: UiFrame): Row[] => {
  const { mode } = look.state
  const query = mode.kind === 'help' ? (mode.line?.text ?? '') : ''
  return helpLines(look.columns, placeOf(look), query)
}
