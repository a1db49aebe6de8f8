import { ClawError } from '../../protocol/errors.ts'
import { checkFileKey } from '../document/path.ts'
import type { FileInfo } from '../files/file-info.ts'
import type { SuggestionDetail } from '../files/suggestions.ts'
import { action } from './action.ts'
import type { FileActor } from './file-actor.ts'
import * as inputs from './inputs/suggestions.ts'

/** A suggestion after a command. */
export interface Suggested {
  suggestion: SuggestionDetail
}

/** The same, with the file that has the accepted hunks. */
export interface AcceptedHunks extends Suggested {
  file: FileInfo
  accepted: number[]
}

/** Proposes a change of a file, which another agent may accept. */
export const suggest = action({
  name: 'suggest',
  roles: ['suggest', 'write', 'admin'],
  errors: [
    ...(['unknown_file', 'unknown_task', 'unknown_agent', 'unknown_version', 'no_match'] as const),
    ...([
      'not_text',
      'bad_path',
      'bad_text',
      'too_large',
      'no_base',
      'stale',
      'ambiguous',
    ] as const),
  ],
  input: inputs.suggest,
  run: async (actor: FileActor, input): Promise<Suggested> => {
    const { agent } = actor
    const key = checkFileKey(input.key)
    const { content, find, replace, base_version } = input
    if ((content === undefined) === (find === undefined)) {
      throw new ClawError('usage', 'give content or find', 'one of them says what you propose')
    }
    if ((find === undefined) !== (replace === undefined)) {
      throw new ClawError('usage', 'find and replace belong together', 'give both')
    }
    if (content === undefined) return actor.suggest({ ...input, key }, null)
    const held = await actor.heldText(key, content, base_version)
    if (held !== null) return actor.suggest({ ...input, key }, held)
    throw new ClawError(
      'no_base',
      `${agent} has not read ${key}, so nobody knows what this changes`,
      'file-get it first, or suggest by --find and --replace',
    )
  },
})

/** Takes hunks of a suggestion into its file, in its proposer's name. */
export const acceptSuggestion = action({
  name: 'accept',
  roles: ['write', 'admin'],
  errors: ['unknown_suggestion', 'suggestion_state', 'stale', 'unknown_file', 'too_large'],
  input: inputs.accept,
  run: async (actor: FileActor, input): Promise<AcceptedHunks> =>
    (await actor.judge('accept', input)) as AcceptedHunks,
})

/** Rejects the hunks of a suggestion that wait, or withdraws the agent's own. */
export const rejectSuggestion = action({
  name: 'reject',
  roles: ['suggest', 'write', 'admin'],
  errors: ['unknown_suggestion', 'suggestion_state', 'too_large'],
  input: inputs.reject,
  run: (actor: FileActor, input): Promise<Suggested> => actor.judge('reject', input),
})
