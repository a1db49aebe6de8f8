import { types } from '../../lib/command-line/value-types.ts'
import * as inputs from '../../workspace/actions/inputs/checkpoints.ts'
import { KEYED, type VerbSpec } from '../command/verb.ts'
import { flagsOf, operandsOf } from './from-input.ts'

const NO_CHECKPOINT = { 3: 'no such checkpoint' } as const

/** All files at one moment. docs/files.md */
export const CHECKPOINTS: readonly VerbSpec[] = [
  {
    name: 'checkpoint',
    summary: 'name the state of all shared files, to compare with and to go back to',
    operands: operandsOf(inputs.checkpoint),
    flags: {
      ...flagsOf(inputs.checkpoint),
      remove: { what: 'remove the name; the files stay as they are' },
      ...KEYED,
    },
    needs: [['name']],
    either: [['note', 'remove']],
    examples: [
      'checkpoint before-refactor --note "all tests green"',
      'checkpoint before-refactor --remove',
    ],
    exits: { ...NO_CHECKPOINT, 4: 'there is one of that name' },
    load: async () => (await import('../verbs/files/checkpoint.ts')).checkpoint,
  },
  {
    name: 'checkpoints',
    summary: 'list the checkpoints, oldest first: when, who, how many files',
    flags: {
      limit: { type: types.count, what: 'at most this many', otherwise: 'about 2,000 characters' },
    },
    examples: ['checkpoints'],
    load: async () => (await import('../verbs/files/checkpoint.ts')).checkpoints,
  },
  {
    name: 'diff',
    summary: 'show what changed between two checkpoints, or since one (unified diffs)',
    operands: ['from', 'to'],
    flags: {
      from: { value: 'NAME', type: types.name, what: 'the earlier checkpoint' },
      to: { value: 'NAME', type: types.name, what: 'the later one', otherwise: 'now' },
      key: { value: 'KEY', type: types.name, what: 'only this file' },
    },
    needs: [['from']],
    examples: ['diff before-refactor', 'diff monday friday --key notes/plan.md'],
    exits: NO_CHECKPOINT,
    load: async () => (await import('../verbs/files/diff.ts')).diff,
  },
  {
    name: 'restore',
    summary: 'make all shared files what they were at a checkpoint, as new edits',
    operands: operandsOf(inputs.restore),
    about:
      'Edits that others make at the same time stay. Files that came since are removed. checkpoint first, to be able to go back.',
    flags: { ...flagsOf(inputs.restore), ...KEYED },
    needs: [['name']],
    examples: ['restore before-refactor --dry-run', 'restore before-refactor'],
    exits: NO_CHECKPOINT,
    load: async () => (await import('../verbs/files/restore.ts')).restore,
  },
]
