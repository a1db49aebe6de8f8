import * as inputs from '../../workspace/actions/inputs/undo.ts'
import { KEYED, type VerbSpec } from '../command/verb.ts'
import { flagsOf, operandsOf } from './from-input.ts'

/** Taking back what one of many authors did. docs/files.md */
export const AUTHORSHIP: readonly VerbSpec[] = [
  {
    name: 'undo',
    summary: 'take an agent’s, a task’s or recent changes out of the shared files, and no others',
    about:
      'Needs the role admin for the work of others. The work of others stays; lines where it overlaps are reported. It is a change, and is undone by the id that it prints.',
    operands: operandsOf(inputs.undo),
    flags: { ...flagsOf(inputs.undo), ...KEYED },
    needs: [['agent', 'task', 'since', 'id']],
    examples: [
      'undo --agent Scout --dry-run',
      'undo --agent Scout --since 2h --key notes/plan.md',
      'undo --task t-4k2j9x0q7m1z',
      'undo --id u-8f3k2m9c0x7a',
    ],
    exits: { 3: 'no such agent, task, file or undo', 4: 'others change these files all the time' },
    load: async () => (await import('../verbs/authorship/undo.ts')).undo,
  },
]
