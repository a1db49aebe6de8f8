import * as Y from 'yjs'
import { shellFlag } from '../../../lib/text/quote.ts'
import { shorten } from '../../../lib/text/shorten.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { primeLines, primeOf } from '../../../workspace/inbox/prime.ts'
import { getTask } from '../../../workspace/tasks/tasks.ts'
import type { Call, Verb } from '../../command/call.ts'
import { tellPaused } from '../../command/paused.ts'
import { oneLine, safeJson } from '../../command/text.ts'
import {
  answeredBefore,
  rememberAnswer,
  WorkspaceSession,
} from '../../command/workspace-session.ts'
import { otherSession } from '../../waking/other-session.ts'

/** Characters that both forms stay within: an agent reads them after every loss of context. */
const MAX_CHARACTERS = 2_000
/** Entries of each list, where they fit. */
const MOST = 12

/** Tells whether this profile has joined no server yet. */
const isNewHere = ({ profile: { state } }: Call): boolean =>
  state.server === undefined && state.agent_id === undefined

/** An error of one that has no server, with the way in. */
const withJoin = (error: unknown): unknown =>
  error instanceof ClawError && error.code === 'unreachable'
    ? new ClawError(
        'unreachable',
        error.message,
        'with a join link: clawlink-agent join --file PATH; no server yet: clawlink-sync starts one',
      )
    : error

/** Acknowledges nothing; remembers the current state, to tell the changes next time. */
export const prime: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, true).catch((error) => {
    throw isNewHere(call) ? withJoin(error) : error
  })
  const me = team.me()
  const known = await answeredBefore(call, team.replica, null)
  if (known !== null) return known
  const unread = (await team.inbox()).map(({ message }) => message)
  await team.confirm()
  const { doc, replica, here } = team
  const looked = replica.record<string>('looked')
  const vector = Y.encodeStateVector(doc)
  const since = looked === undefined ? null : Y.decodeStateVector(Buffer.from(looked, 'base64'))
  replica.keepRecord('looked', Buffer.from(vector).toString('base64'))
  const where = shorten(`${call.workspace} of ${call.target.base}`, 120)
  const paused = tellPaused(team)
  call.notes.push(...otherSession(call), ...paused.notes)
  const offline = { ...paused.data, ...team.admitOffline() }
  for (let most = MOST; ; most--) {
    const found = primeOf(doc, me, here, unread, since, most)
    const next = ['clawlink-agent poll']
    if (found.tasks.items.length > 0) {
      const { task_id, from_agent } = getTask(doc, found.tasks.items[0]!.task_id)
      next.push(
        `clawlink-agent respond ${shellFlag('to', from_agent)} --msg-id ${task_id} --result …`,
      )
    }
    const data = { ...found, where, next, ...offline }
    const lines = primeLines(found, where, next).map(oneLine)
    const length = Math.max(
      safeJson({ ok: true, data }).length,
      lines.reduce((sum, line) => sum + line.length + 1, 0),
    )
    if (most > 0 && length >= MAX_CHARACTERS) continue
    rememberAnswer(call, replica, null, { data, lines })
    return { data, lines }
  }
}
