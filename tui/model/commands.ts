import { PAGE_COMMANDS } from './page-commands.ts'
import type { Place } from './state.ts'

/** The subject of a command: the picked or the open item. */
export type About = 'agent' | 'task' | 'entry' | 'file'

/** The kind of names that complete a word of a command line. */
export type Names = 'agent' | 'file' | 'topic' | 'text'

/**
 * The one table of what can be done: keys, status line, help overlay, command palette and docs/tui.md are made from it.
 * A command has a name, which `:` takes, and keys.
 */
export interface UiCommand {
  name: string
  keys: readonly string[]
  /** `everywhere`, or in one place: a view and the pages of its things, or pages of another kind. */
  where: 'everywhere' | Place
  /** It changes something for others: who only watches cannot give it. */
  forMembers?: true
  what: string
  /** In the status line, under this word. */
  bar?: string
  about?: About
  /** Fields of its form that a command line gives in this order; the last takes the rest. */
  args?: readonly { field: string; names: Names }[]
  /** Not offered on the command line. */
  keysOnly?: true
}

const text = (field: string) => ({ field, names: 'text' }) as const
const agent = (field: string) => ({ field, names: 'agent' }) as const

export const UI_COMMANDS: readonly UiCommand[] = [
  ...(
    [
      ['down', ['j', 'down'], 'next line'],
      ['up', ['k', 'up'], 'line before'],
      ['left', ['h', 'left'], 'column to the left; in files: close the folder'],
      ['right', ['l', 'right'], 'column to the right; in files: open the folder'],
      ['page-down', ['ctrl-d', 'ctrl-f', 'pagedown', 'space'], 'a page down'],
      ['page-up', ['ctrl-u', 'ctrl-b', 'pageup'], 'a page up'],
      ['first', ['g', 'home'], 'first line; in the feed: older entries, too'],
      ['last', ['G', 'end'], 'last line; in the feed: stay with the newest'],
    ] as const
  ).map(([name, keys, what]) => ({
    ...{ name, keys, what },
    where: 'everywhere' as const,
    keysOnly: true as const,
  })),
  {
    name: 'open',
    keys: ['enter', 'o'],
    where: 'everywhere',
    what: 'open what is picked',
    bar: 'open',
    keysOnly: true,
  },
  {
    name: 'back',
    keys: ['esc', 'backspace'],
    where: 'everywhere',
    what: 'back; clear the filter',
    keysOnly: true,
  },
  { name: 'next', keys: ['tab'], where: 'everywhere', what: 'next view', keysOnly: true },
  {
    name: 'previous',
    keys: ['shift-tab'],
    where: 'everywhere',
    what: 'view before',
    keysOnly: true,
  },
  {
    name: 'me',
    keys: ['0'],
    where: 'everywhere',
    what: 'what waits for me: to answer, approve, review, claim, read',
  },
  {
    name: 'find',
    keys: ['f'],
    where: 'everywhere',
    what: 'go to a file, agent, task or message by some letters of it',
    bar: 'find',
  },
  { name: 'agents', keys: ['1'], where: 'everywhere', what: 'who is here and does what' },
  { name: 'tasks', keys: ['2'], where: 'everywhere', what: 'the task board' },
  { name: 'feed', keys: ['3'], where: 'everywhere', what: 'messages and activity' },
  { name: 'files', keys: ['4'], where: 'everywhere', what: 'the shared files' },
  {
    name: 'filter',
    keys: ['/'],
    where: 'everywhere',
    what: 'show only what has these words; from:, topic:, state: look at one field',
    bar: 'filter',
    args: [text('text')],
  },
  {
    name: 'palette',
    keys: [':'],
    where: 'everywhere',
    what: 'type a command; tab completes',
    keysOnly: true,
  },
  { name: 'help', keys: ['?', 'f1'], where: 'everywhere', what: 'all keys', bar: 'help' },
  {
    name: 'suspend',
    keys: ['ctrl-z'],
    where: 'everywhere',
    what: 'suspend; fg in the shell to return',
    keysOnly: true,
  },
  { name: 'quit', keys: ['q', 'ctrl-c'], where: 'everywhere', what: 'leave', bar: 'quit' },

  {
    name: 'delegate',
    keys: ['d'],
    where: 'everywhere',
    forMembers: true,
    what: 'delegate a task; to the agents that are picked or marked, or several names with commas',
    bar: 'delegate',
    args: [agent('to'), text('task')],
  },
  {
    name: 'broadcast',
    keys: ['b'],
    where: 'everywhere',
    forMembers: true,
    what: 'tell everybody',
    bar: 'broadcast',
    args: [text('content')],
  },
  {
    name: 'send',
    keys: ['s'],
    where: 'everywhere',
    forMembers: true,
    what: 'send a message; to the agents that are picked or marked, or several names with commas',
    bar: 'send',
    args: [agent('to'), text('content')],
  },
  {
    name: 'mark',
    keys: ['*'],
    where: 'everywhere',
    what: 'mark for the next command, which is then about all that are marked; again: unmark',
    keysOnly: true,
  },
  {
    name: 'sort',
    keys: ['>'],
    where: 'everywhere',
    what: 'the next order of the list',
  },
  {
    name: 'preview',
    keys: ['V'],
    where: 'everywhere',
    what: 'show what is picked beside the list, or do not',
  },
  {
    name: 'copy',
    keys: ['y'],
    where: 'everywhere',
    what: 'copy the text or name of what is picked or open to the clipboard',
  },
  { name: 'copy-id', keys: ['Y'], where: 'everywhere', what: 'copy its id or path' },
  {
    name: 'focus',
    keys: ['F'],
    where: 'everywhere',
    what: 'show no messages as they come, for a while; again: show them',
  },
  {
    name: 'read',
    keys: ['u'],
    where: 'everywhere',
    forMembers: true,
    what: 'mark all that is for me as read',
  },
  {
    name: 'status',
    keys: ['S'],
    where: 'everywhere',
    forMembers: true,
    what: 'tell others what you are doing',
    args: [text('text')],
  },
  {
    name: 'take-part',
    keys: ['J'],
    where: 'everywhere',
    what: 'say who you are, to take part rather than watch',
  },
  { name: 'invite', keys: ['i'], where: 'everywhere', what: 'show the join link' },

  {
    name: 'pause',
    keys: ['p'],
    where: 'agents',
    forMembers: true,
    about: 'agent',
    what: 'ask the agent to take up no work',
    bar: 'pause',
    args: [text('note')],
  },
  {
    name: 'resume',
    keys: ['P'],
    where: 'agents',
    forMembers: true,
    about: 'agent',
    what: 'let the agent go on',
    bar: 'resume',
  },

  {
    name: 'claim',
    keys: ['c'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'take the task',
    bar: 'claim',
  },
  {
    name: 'respond',
    keys: ['r'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'answer: progress, result, failure; where its owner asks you something: answer that',
    bar: 'respond',
    args: [text('result')],
  },
  {
    name: 'answer',
    keys: ['A'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'answer what its owner asks you',
    args: [text('text')],
  },
  {
    name: 'note',
    keys: ['n'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'add a note',
    bar: 'note',
    args: [text('text')],
  },
  {
    name: 'approve',
    keys: ['a'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'approve what waits for it',
    bar: 'approve',
  },
  {
    name: 'decline',
    keys: ['x'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'decline, with a reason; what waits for approval goes back to its owner',
    bar: 'decline',
    args: [text('reason')],
  },
  {
    name: 'cancel',
    keys: ['X'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'take the task back',
    bar: 'cancel',
    args: [text('reason')],
  },
  {
    name: 'release',
    keys: ['L'],
    where: 'tasks',
    forMembers: true,
    about: 'task',
    what: 'let others have the task',
    bar: 'release',
  },

  {
    name: 'reply',
    keys: ['r'],
    where: 'feed',
    forMembers: true,
    about: 'entry',
    what: 'reply',
    bar: 'reply',
    args: [text('content')],
  },

  {
    name: 'new',
    keys: ['n'],
    where: 'files',
    forMembers: true,
    what: 'make a file',
    bar: 'new',
    args: [{ field: 'path', names: 'file' }],
  },
  {
    name: 'rename',
    keys: ['m'],
    where: 'files',
    forMembers: true,
    about: 'file',
    what: 'rename the file',
    bar: 'rename',
    args: [{ field: 'to', names: 'file' }],
  },
  {
    name: 'remove',
    keys: ['D'],
    where: 'files',
    forMembers: true,
    about: 'file',
    what: 'remove the file, after a question',
    bar: 'remove',
  },
  {
    name: 'undo',
    keys: ['U'],
    where: 'files',
    forMembers: true,
    what: 'bring the file back that you removed last',
  },
  ...PAGE_COMMANDS,
]

/** Keys while something is typed: they are the same in every line and form. */
export const TYPING: readonly { keys: readonly string[]; what: string }[] = [
  { keys: ['enter'], what: 'do it' },
  { keys: ['esc'], what: 'leave it' },
  { keys: ['tab', 'shift-tab'], what: 'complete; in a form: next field, field before' },
  { keys: ['up', 'down'], what: 'other completion; in a form: field before, next field' },
  {
    keys: ['left', 'right', 'home', 'end', 'ctrl-a', 'ctrl-e'],
    what: 'move in the line; of a choice the one before, the next',
  },
  { keys: ['ctrl-w', 'ctrl-u', 'ctrl-k'], what: 'delete the word before, all before, all after' },
  { keys: ['ctrl-s'], what: 'send the form, as enter does' },
  { keys: ['ctrl-j', 'alt-enter'], what: 'a line end, where several lines are allowed' },
]

export const commandNamed = (name: string): UiCommand | null =>
  UI_COMMANDS.find((command) => command.name === name) ?? null

/** The command of a key in a place; commands of that place go first. */
export const commandFor = (key: string, place: Place): UiCommand | null => {
  const bound = UI_COMMANDS.filter(({ keys }) => keys.includes(key))
  return (
    bound.find(({ where }) => where === place) ??
    bound.find(({ where }) => where === 'everywhere') ??
    null
  )
}

/** All commands, in the groups in which they are told of. */
export const commandGroups = (): readonly (readonly [string, readonly UiCommand[]])[] => {
  const where = (place: UiCommand['where']) =>
    UI_COMMANDS.filter((command) => command.where === place)
  const everywhere = where('everywhere')
  return [
    ['Moving', everywhere.filter(({ keysOnly }) => keysOnly === true)],
    ['Everywhere', everywhere.filter(({ keysOnly }) => keysOnly !== true)],
    ['Agents', where('agents')],
    ['Tasks', where('tasks')],
    ['Feed', where('feed')],
    ['Files', where('files')],
    ['Suggestions', where('suggestions')],
    ['History, replay, checkpoints', where('past')],
  ]
}

/** A key as people write it. */
export const keyLabel = (key: string): string => {
  const named: Readonly<Record<string, string>> = { up: '↑', down: '↓', left: '←', right: '→' }
  return named[key] ?? key.replace(/^ctrl-/, '^')
}
