import { types } from '../../lib/command-line/value-types.ts'
import { path } from '../../workspace/actions/inputs/field.ts'
import * as inputs from '../../workspace/actions/inputs/suggestions.ts'
import type { VerbSpec } from '../command/verb.ts'
import { flagOf, fromInput } from './from-input.ts'

const NO_SUGGESTION = 'no such suggestion'

/** Proposed changes of shared files. docs/files.md */
export const SUGGESTIONS: readonly VerbSpec[] = [
  {
    name: 'file-suggest',
    summary: 'propose a change of a shared file, for another agent to accept',
    about:
      'The server makes hunks of it: what differs from the version that you read. They move along with edits around them.',
    ...fromInput(inputs.suggest, {
      without: ['base_version'],
      but: { replace: { with: 'find', isPair: true }, all: { with: 'find' } },
      after: {
        content: { file: { type: types.fileOrStdin, what: 'the local file with it, or stdin' } },
      },
      needs: [['content', 'file', 'find']],
      either: [['content', 'file', 'find']],
    }),
    examples: [
      'file-suggest --key notes/plan.md --find "by Friday" --replace "by Monday" --note "no review before"',
      'file-suggest --key notes/plan.md --file plan.md --approve-by Lead',
    ],
    exits: { 3: 'no such file or text', 4: 'not read before, or others changed the lines' },
    load: async () => (await import('../verbs/suggestions/suggestions.ts')).fileSuggest,
  },
  {
    name: 'file-suggestions',
    summary: 'list the suggestions that wait, or show one with its hunks',
    operands: ['key'],
    flags: {
      key: { ...flagOf(path), what: 'only for this file' },
      id: { value: 'ID', type: types.name, what: 'show this one' },
      all: { what: 'ended ones, too' },
      limit: { type: types.count, what: 'at most this many', otherwise: 'about 2,000 characters' },
    },
    either: [
      ['key', 'id'],
      ['all', 'id'],
    ],
    examples: ['file-suggestions notes/plan.md', 'file-suggestions --id s-3'],
    exits: { 3: NO_SUGGESTION },
    load: async () => (await import('../verbs/suggestions/suggestions.ts')).fileSuggestions,
  },
  {
    name: 'file-accept',
    summary: 'take a suggestion, or hunks of it, into its file in its proposer’s name',
    ...fromInput(inputs.accept),
    examples: ['file-accept s-3', 'file-accept s-3 --hunks 1,3'],
    exits: {
      3: NO_SUGGESTION,
      4: 'it has ended, or a hunk no longer applies',
      5: 'not yours to judge',
    },
    load: async () => (await import('../verbs/suggestions/suggestions.ts')).fileAccept,
  },
  {
    name: 'file-reject',
    summary: 'reject a suggestion, or hunks of it; withdraw your own',
    ...fromInput(inputs.reject),
    examples: ['file-reject s-3 --reason "the date is fixed"', 'file-reject s-3 --hunks 2'],
    exits: { 3: NO_SUGGESTION, 4: 'it has ended', 5: 'not yours to judge' },
    load: async () => (await import('../verbs/suggestions/suggestions.ts')).fileReject,
  },
]
