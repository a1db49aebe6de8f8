import type * as Y from 'yjs'
import { Mutex } from '../../lib/mutex.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { ARCHIVED_SUGGESTIONS } from '../../protocol/limits.ts'
import { includes } from '../../protocol/roles.ts'
import type { HeldText, ToJudge, ToSuggest } from '../../workspace/actions/file-actor.ts'
import type { InputOf } from '../../workspace/actions/inputs/field.ts'
import type * as inputs from '../../workspace/actions/inputs/suggestions.ts'
import type { AcceptedHunks, Suggested } from '../../workspace/actions/suggest.ts'
import { resolveAgent } from '../../workspace/agents/agents.ts'
import { replaceText } from '../../workspace/files/file-edit.ts'
import {
  findSuggestion,
  getSuggestion,
  type SuggestionDetail,
  unknownSuggestion,
} from '../../workspace/files/suggestions.ts'
import { showArchivedSuggestion } from '../../workspace/suggestions/archive.ts'
import {
  type Archive,
  acceptHunks,
  type Judgement,
  noteDecision,
  numberOfSuggestion,
  rejection,
} from '../../workspace/suggestions/deciding.ts'
import { fileSuggestion } from '../../workspace/suggestions/filing.ts'
import { findEntry } from '../../workspace/tasks/tasks.ts'
import type { Op } from '../storage/integrity/level-keys.ts'
import { checkRoom } from '../sync/full.ts'
import type { Room } from '../sync/room.ts'
import { SHORT_STEPS } from '../texts/work.ts'
import { type ActionContext, registered } from './context.ts'
import type { AgentsEnv } from './env.ts'
import { merging } from './merging.ts'
import { del, putSuggestion, suggestionKey } from './records.ts'

/** Suggestions, of which the server is the only writer: each command is a turn of the room. */

/** Files a proposal. `held`: the text that it changes; null: as it is now. Throws as `fileSuggestion`, and `unknown_agent`. */
export const fileFor = (
  { env, httpAgent, key }: ActionContext,
  input: ToSuggest,
  held: HeldText | null,
): Promise<Suggested> =>
  httpAgent.turn(async () => {
    const { room, agent } = httpAgent
    const { before, stage } = await httpAgent.answers.find({ key, what: 'suggest', payload: input })
    if (before !== null) return before as Suggested
    const spent = (ms: number): void => httpAgent.spent(ms)
    return merging(env.texts, spent, (merge) =>
      room.command(
        (doc, _archive, keep) => {
          checkRoom(room)
          registered(httpAgent)
          const { note, task, approve_by } = input
          const here = env.httpAgents.here(room)
          const approver =
            approve_by === undefined ? undefined : resolveAgent(doc, approve_by, here)
          const suggestion = fileSuggestion(doc, {
            ...{ key: input.key, by: agent, now: env.now(), note, task, approver },
            ...{ base: held?.content ?? null, propose: proposing(input), merge },
            ...{ mayAccept: mayAccept(env, room), steps: SHORT_STEPS },
          })
          const answer = { suggestion }
          for (const op of stage(answer)) keep(op)
          return answer
        },
        undefined,
        { by: agent },
      ),
    )
  })

const proposing =
  ({ content, find, replace, all }: ToSuggest) =>
  (base: string): string =>
    content ?? replaceText(base, find ?? '', replace ?? '', all).content

/** An agent without a credential of its own speaks by the owner. */
const mayAccept = ({ access }: AgentsEnv, { name }: Room) => {
  return (agent: AgentId): boolean => {
    if (access.members.isRevoked(name, agent)) return false
    return includes(access.members.roleOf(name, agent) ?? 'write', 'write')
  }
}

/** The judgements of a room, one at a time. */
const judging = new WeakMap<Room, Mutex>()

/** Accepts hunks of a suggestion in the name of its proposer, or rejects them. */
export const judgeFor = (
  context: ActionContext,
  what: 'accept' | 'reject',
  input: ToJudge,
): Promise<Suggested> => {
  const { env, httpAgent, key, mayWrite = true } = context
  const { room, agent: by } = httpAgent
  const turns = judging.get(room) ?? new Mutex()
  judging.set(room, turns)
  return turns.run(async () => {
    const { before, stage } = await httpAgent.answers.find({ key, what, payload: input })
    if (before !== null) return before as Suggested
    const id = input.suggestion
    const { proposer, task } = await proposerOf(env, room, id)
    const judgement: Judgement = { id, by, mayWrite, now: env.now() }
    if (what === 'accept') {
      const { hunks } = input as InputOf<typeof inputs.accept>
      return acceptFor(env, room, { judgement, proposer, task, hunks: hunks ?? null, stage })
    }
    const { reason, hunks = null } = input as InputOf<typeof inputs.reject>
    return room.command(
      (doc, _archive, keep) => {
        noteDecision(doc, id, rejection(doc, judgement, reason, hunks), archiving(room, keep))
        const answer = { suggestion: getSuggestion(doc, id) }
        for (const op of stage(answer)) keep(op)
        return answer
      },
      undefined,
      { by },
    )
  })
}

interface ToAccept {
  judgement: Judgement
  proposer: AgentId
  /** The task that the text is credited to. */
  task: string | null
  /** Null: all that wait. */
  hunks: readonly number[] | null
  stage: (answer: object) => Op[]
}

/** The text is written under the proposer's Yjs client id, the decision under the server's, in one commit. */
const acceptFor = async (
  env: AgentsEnv,
  room: Room,
  { judgement, proposer, task, hunks, stage }: ToAccept,
): Promise<AcceptedHunks> => {
  checkRoom(room)
  const author = env.httpAgents.httpAgent(room, proposer)
  const { id } = judgement
  let answer: AcceptedHunks | null = null
  await author.turn(() =>
    author.change(
      ({ doc }) => acceptHunks(doc, judgement, hunks),
      (doc, { put, decision }, keep) => {
        noteDecision(doc, id, decision, archiving(room, keep))
        const suggestion = getSuggestion(doc, id)
        answer = { suggestion, file: put.file, accepted: decision.hunks }
        for (const op of stage(answer)) keep(op)
      },
      { via: judgement.by, task },
    ),
  )
  if (answer === null) throw new Error(`${id} was not noted`)
  return answer
}

const archiving =
  ({ name }: Room, keep: (op: Op) => void): Archive =>
  (number, value) => {
    keep(putSuggestion(suggestionKey(name, number), value))
    const old = number - ARCHIVED_SUGGESTIONS
    if (old > 0) keep(del(suggestionKey(name, old)))
  }

/** The proposer, and the task that it owns and the suggestion is for. Throws `unknown_suggestion`, `suggestion_state`. */
const proposerOf = async (
  env: AgentsEnv,
  room: Room,
  id: string,
): Promise<{ proposer: AgentId; task: string | null }> => {
  const found = await room.command((doc) => {
    const facts = findSuggestion(doc, id)?.facts
    if (facts === undefined) return null
    const owner = facts.task === undefined ? null : findEntry(doc, facts.task)?.status.owner
    return { proposer: facts.by, task: owner === facts.by ? (facts.task ?? null) : null }
  })
  if (found !== null) return found
  const archived = await archivedSuggestion(env, room.name, id)
  if (archived === null) throw unknownSuggestion(id)
  throw new ClawError('suggestion_state', `${id} has ended: ${archived.state}`)
}

/** A suggestion that has ended, whole; null: there is none. */
const archivedSuggestion = async (
  { updateLog }: Pick<AgentsEnv, 'updateLog'>,
  workspace: string,
  id: string,
): Promise<SuggestionDetail | null> => {
  if (!/^s-[1-9]\d{0,14}$/.test(id)) return null
  const key = suggestionKey(workspace, numberOfSuggestion(id))
  const found = await updateLog.facts.readable(key)
  return showArchivedSuggestion(found.find((one) => one.key === key)?.json)
}

/** One suggestion, also one that has ended, with its hunks. `look` reads the document. Throws `unknown_suggestion`. */
export const wholeSuggestion = async (
  env: Pick<AgentsEnv, 'updateLog'>,
  workspace: string,
  id: string,
  look: (
    work: (doc: Y.Doc) => SuggestionDetail | null,
  ) => Promise<{ found: SuggestionDetail | null }>,
): Promise<SuggestionDetail> => {
  const { found: live } = await look((doc) =>
    findSuggestion(doc, id) === null ? null : getSuggestion(doc, id),
  )
  if (live?.changes !== undefined) return live
  const found = (await archivedSuggestion(env, workspace, id)) ?? live
  if (found === null) throw unknownSuggestion(id)
  return found
}
