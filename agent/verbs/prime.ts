import * as Y from 'yjs'
import { getArchive } from '../../workspace/link/commands.ts'
import { receive } from '../../workspace/link/inbox.ts'
import { primeLines, primeOf } from '../../workspace/prime.ts'
import { shorten } from '../../workspace/shorten.ts'
import type { Verb } from '../call.ts'
import { Team } from '../team.ts'
import { oneLine, safeJson } from '../text.ts'

/** What both forms stay within (characters): it is read after every loss of context. */
const MAX_CHARACTERS = 2_000
/** Entries of each list, where they fit. */
const MOST = 12

/** Acknowledges nothing; remembers what was there, to tell what changes until the next time. */
export const prime: Verb = async (call) => {
  const team = await Team.open(call, true)
  const me = team.me()
  await receive(team.replica, me, team.here, (after) =>
    getArchive(call.target.base, call.workspace, after),
  )
  await team.confirm()
  const { doc, replica, here } = team
  const unread = (await replica.inbox(me)).map(({ message }) => message)
  const looked = replica.record<string>('looked')
  const vector = Y.encodeStateVector(doc)
  const since = Y.decodeStateVector(looked === undefined ? vector : Buffer.from(looked, 'base64'))
  replica.keepRecord('looked', Buffer.from(vector).toString('base64'))
  const where = shorten(`${call.workspace} of ${call.target.base}`, 120)
  const offline = team.admitOffline()
  for (let most = MOST; ; most--) {
    const found = primeOf(doc, me, here, unread, since, most)
    const next = ['clawlink-agent poll']
    if (found.tasks.items.length > 0) {
      const { task_id, from } = found.tasks.items[0]!
      next.push(`clawlink-agent respond --to "${from}" --msg-id ${task_id} --result …`)
    }
    const data = { ...found, where, next, ...offline }
    const lines = primeLines(found, where, next).map(oneLine)
    const length = Math.max(
      safeJson({ ok: true, data }).length,
      lines.reduce((sum, line) => sum + line.length + 1, 0),
    )
    if (most === 0 || length < MAX_CHARACTERS) return { data, lines }
  }
}
