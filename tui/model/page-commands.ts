import type { UiCommand } from './commands.ts'

const text = (field: string) => ({ field, names: 'text' }) as const

/** Commands about the authors of texts, proposals and the past; a part of `UI_COMMANDS`. */
export const PAGE_COMMANDS: readonly UiCommand[] = [
  {
    name: 'history',
    keys: ['H'],
    where: 'files',
    about: 'file',
    what: 'the versions of the file, with what each changed',
    bar: 'history',
  },
  {
    name: 'replay',
    keys: ['T'],
    where: 'everywhere',
    what: 'play what happened: of a file its versions, elsewhere the board',
  },
  {
    name: 'checkpoints',
    keys: ['C'],
    where: 'everywhere',
    what: 'the checkpoints: names for the state of all files',
  },
  {
    name: 'suggestions',
    keys: ['E'],
    where: 'everywhere',
    what: 'proposed changes: of the file, for the task or by the agent that is picked, else all',
  },
  {
    name: 'take-back',
    keys: ['Z'],
    where: 'everywhere',
    what: 'look at what an agent did to the files, or a task, or an undo, and take it back',
    args: [{ field: 'of', names: 'agent' }],
  },

  {
    name: 'accept',
    keys: ['a'],
    where: 'suggestions',
    forMembers: true,
    what: 'accept the hunk that is picked',
    bar: 'accept',
  },
  {
    name: 'accept-all',
    keys: ['A'],
    where: 'suggestions',
    forMembers: true,
    what: 'accept all hunks that wait',
    bar: 'all',
  },
  {
    name: 'reject',
    keys: ['x'],
    where: 'suggestions',
    forMembers: true,
    what: 'reject the hunk that is picked, with a reason',
    bar: 'reject',
    args: [text('reason')],
  },
  {
    name: 'reject-all',
    keys: ['X'],
    where: 'suggestions',
    forMembers: true,
    what: 'reject all hunks that wait, with a reason',
    args: [text('reason')],
  },

  { name: 'play', keys: ['p'], where: 'past', what: 'play, or pause', bar: 'play' },
  { name: 'faster', keys: ['+'], where: 'past', what: 'play faster' },
  { name: 'slower', keys: ['-'], where: 'past', what: 'play slower' },
  { name: 'back-ten', keys: ['['], where: 'past', what: 'ten steps back' },
  { name: 'on-ten', keys: [']'], where: 'past', what: 'ten steps on' },
  {
    name: 'seek',
    keys: ['t'],
    where: 'past',
    what: 'go to a version, or to a time: 14:30, 2026-11-28, 2h',
    bar: 'go to',
    args: [text('to')],
  },
  {
    name: 'restore',
    keys: ['R'],
    where: 'past',
    forMembers: true,
    what: 'make the file, or all files, what they were, after a question',
    bar: 'restore',
  },
  {
    name: 'restore-one',
    keys: ['r'],
    where: 'past',
    forMembers: true,
    what: 'of a checkpoint: make the picked file what it was, after a question',
  },
  {
    name: 'checkpoint',
    keys: ['n'],
    where: 'past',
    forMembers: true,
    what: 'name the state of all files as it is now',
    args: [text('name'), text('note')],
  },
  {
    name: 'diff',
    keys: ['='],
    where: 'past',
    what: 'compare the checkpoint with the one before it, or two by their names',
    args: [text('from'), text('to')],
  },
  { name: 'whole', keys: ['v'], where: 'past', what: 'the whole text, or what changed' },
]
