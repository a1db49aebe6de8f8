import { getServerSuggestion } from '../../../client/http/suggestions.ts'
import { counted } from '../../../lib/text/count.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { acceptSuggestion, rejectSuggestion, suggest } from '../../../workspace/actions/suggest.ts'
import {
  findSuggestion,
  getSuggestion,
  listSuggestions,
  type Suggestion,
  type SuggestionDetail,
  suggestionDiff,
} from '../../../workspace/files/suggestions.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { shortList } from '../../command/page.ts'
import { act } from '../../command/replica-actor.ts'
import { idText, oneLine, path, safeJson, who, withBody } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

const named = ({ suggestion_id: id, file_key }: SuggestionDetail): string =>
  `${idText(id)} for ${path(file_key)}`

/** Proposes a change of a shared file. */
export const fileSuggest: Verb = async (call) => {
  const isWhole = call.has('content') || call.has('file')
  const input = inputOf(call, suggest.input, isWhole ? { content: call.body('content') } : {})
  return act(call, suggest, input, ({ suggestion }) => ({
    lines: [oneLine(`${named(suggestion)}: ${counted(suggestion.hunks, 'hunk')} to judge`)],
  }))
}

/** Takes hunks of a suggestion into its file. */
export const fileAccept: Verb = async (call) => {
  const input = inputOf(call, acceptSuggestion.input, hunksIn(call))
  return act(call, acceptSuggestion, input, ({ suggestion, file, accepted }) => ({
    lines: [
      oneLine(
        `${named(suggestion)}: accepted ${hunksText(accepted)}, version ${file.version}${leftText(suggestion)}`,
      ),
    ],
  }))
}

/** The hunks that are named; none: all that wait. Throws `usage`. */
const hunksIn = (call: Call): { hunks?: number[] } =>
  call.has('hunks') ? { hunks: numbersIn(call.list('hunks')) } : {}

const numbersIn = (words: readonly string[]): number[] =>
  words.map((word) => {
    if (/^[1-9]\d{0,3}$/.test(word.trim())) return Number(word)
    throw new ClawError('usage', `"${word.slice(0, 40)}" is not the number of a hunk`, 'like 1,3')
  })

/** Rejects what waits of a suggestion, or hunks of it. */
export const fileReject: Verb = async (call) => {
  const input = inputOf(call, rejectSuggestion.input, hunksIn(call))
  return act(call, rejectSuggestion, input, ({ suggestion }) => {
    const { decisions, state } = suggestion
    const rejected = hunksText(decisions.at(-1)?.hunks ?? [])
    const done = state === 'open' ? `rejected ${rejected}${leftText(suggestion)}` : state
    return { lines: [oneLine(`${named(suggestion)}: ${done}`)] }
  })
}

const hunksText = (hunks: readonly number[]): string =>
  hunks.length === 1 ? `hunk ${hunks[0]}` : `hunks ${hunks.join(',')}`

const leftText = ({ waiting }: SuggestionDetail): string =>
  waiting === 0 ? '' : `; ${counted(waiting, 'hunk')} waiting`

/** Lists the suggestions for shared files, or shows one. */
export const fileSuggestions: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, true)
  await team.confirm()
  const id = call.flag('id')
  if (id !== undefined) return showOne(call, team, id)
  const suggestions = listSuggestions(team.doc, { key: call.flag('key'), all: call.has('all') })
  const { length } = suggestions
  return {
    data: { suggestions, count: length, ...team.admitOffline() },
    lines: shortList(
      suggestions.map((one) => [headOf(team, one)]),
      { limit: call.number('limit'), how: `file-suggestions --limit ${length}, or a KEY` },
    ),
    notes: length === 0 ? ['no suggestion waits'] : [],
  }
}

const headOf = (team: WorkspaceSession, one: Suggestion): string => {
  const { suggestion_id, state, file_key, by, at, hunks, waiting, conflicts, note } = one
  const fields = [idText(suggestion_id), state, path(file_key), `by ${who(team.doc, by)}`, at]
  fields.push(`${waiting} of ${hunks} hunks waiting`)
  if (conflicts > 0) fields.push(`${conflicts} no longer apply`)
  if (one.approve_by !== null) fields.push(`to be accepted by ${who(team.doc, one.approve_by)}`)
  if (one.task !== null) fields.push(`task ${idText(one.task)}`)
  if (note !== '') fields.push(safeJson(note.slice(0, NOTE_LENGTH)))
  return oneLine(fields.join('  '))
}

/** UTF-16 units of a note that a list shows. */
const NOTE_LENGTH = 80

const showOne = async (call: Call, team: WorkspaceSession, id: string): Promise<Outcome> => {
  const suggestion = await wholeSuggestion(call, team, id)
  const { note, decisions } = suggestion
  return {
    data: { suggestion, ...team.admitOffline() },
    lines: [
      headOf(team, { ...suggestion, note: '' }),
      ...(note === '' ? [] : withBody('note:', note)),
      ...decisions.flatMap(({ by, at, verdict, hunks, reason }) =>
        withBody(`${verdict} ${hunks.join(',')} by ${who(team.doc, by)} ${at}`, reason),
      ),
      ...suggestionDiff(suggestion).map(oneLine),
    ],
  }
}

/** From the replica, as long as its hunks are there. */
const wholeSuggestion = async (
  call: Call,
  team: WorkspaceSession,
  id: string,
): Promise<SuggestionDetail> => {
  const isOpen = findSuggestion(team.doc, id)?.hunks != null
  if (isOpen || team.offline !== null) return getSuggestion(team.doc, id)
  return getServerSuggestion(call.target, call.workspace, id)
}
