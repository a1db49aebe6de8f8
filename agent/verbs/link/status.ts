import { basename } from 'node:path'
import { OFF_MS } from '../../../client/http/clock.ts'
import { counted } from '../../../lib/text/count.ts'
import { includes } from '../../../protocol/roles.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { nameAt, readState, saveState } from '../../command/profile.ts'
import { oneLine, word } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'
import { lineOfMirror, notesOf } from '../files/mirror.ts'

/** Of more paths that a mirror skips only the number is said (count). */
const MAX_SKIPPED = 10

const UNSENT =
  '; changes made here are kept, and sent once you join with a link with the role write'

/**
 * Prints the state of the link and its profiles; with `--set`, tells the team the agent's activity.
 */
export const status: Verb = async (call) => {
  const text = call.text('set')
  if (text !== undefined) return setActivity(call, text)
  const { link } = call.host
  if (link === null) return { data: { link: null }, lines: ['no link is running'] }

  const { pid, version } = link
  const since = new Date(link.since).toISOString()
  const lines = [`link ${version}, process ${pid}, since ${since}`]
  const profiles = []
  for (const { profile: dir, handle, mirrors } of link.workspaces()) {
    const { replica, session, at, me } = handle
    const place = { server: at.access.server, workspace: at.workspace }
    const name = nameAt(readState(dir), place)
    const contact = session?.contact
    const { role } = at.access
    const one = {
      profile: /[\\/]profiles[\\/][^\\/]+$/.test(dir) ? basename(dir) : 'default',
      agent_id: me,
      name: name ?? null,
      server: at.target.base,
      workspace: at.workspace,
      connected: contact?.connected ?? false,
      since: contact === undefined ? null : new Date(contact.since).toISOString(),
      why: contact?.why?.message ?? null,
      unread: me === null ? 0 : await replica.unread(me),
      queued: (await replica.queue()).length,
      role,
      unsent: session?.hasUnsent ?? null,
      mirrors: mirrors?.list() ?? [],
      clock_offset_seconds: Math.round(handle.clockOffset / 1_000),
    }
    const sends = one.why === null ? 'connected' : `connected, nothing is sent (${one.why})`
    const isRevoked = contact?.why?.code === 'revoked'
    const why = isRevoked ? 'revoked: ask for a new join link' : (one.why ?? 'connecting')
    const how = one.connected ? sends : `not connected (${why})`
    const { profile, workspace, server, unread, queued, unsent } = one
    const isReader = role !== null && !includes(role, 'write')
    const reads = isReader ? `  only reads${unsent ? UNSENT : ''}` : ''
    const waiting = [queued > 0 ? counted(queued, 'command') : [], unsent ? 'changes' : []].flat()
    const waits =
      isReader || waiting.length === 0 ? '' : `  ${waiting.join(' and ')} waiting to be sent`
    lines.push(
      oneLine(
        `${profile}  ${name == null ? '' : word(name)}  ${workspace} of ${server}  ${how} since ${one.since}  unread ${unread}${reads}${waits}`,
      ),
    )
    if (Math.abs(handle.clockOffset) >= OFF_MS) lines.push(`  ${clockLine(handle.clockOffset)}`)
    for (const info of one.mirrors) {
      lines.push(
        `  mirror ${lineOfMirror(info)}`,
        ...notesOf(info, MAX_SKIPPED).map((note) => `    ${note}`),
      )
    }
    profiles.push(one)
  }
  return { data: { link: { pid, version, since }, profiles }, lines }
}

const clockLine = (offset: number): string => {
  const minutes = Math.round(Math.abs(offset) / 60_000)
  const way = offset > 0 ? 'behind' : 'ahead of'
  return `this machine's clock is ${minutes} min ${way} the server's: times go by the server's; set the clock`
}

const setActivity = async (call: Call, note: string): Promise<Outcome> => {
  const task = call.flag('task')
  call.me()
  const activity = { note, ...(task !== undefined && { task }) }
  saveState(call.profile, { activity: note === '' ? undefined : activity })
  await WorkspaceSession.open(call, true)
  return {
    data: { activity },
    lines: [oneLine(note === '' ? 'activity: none' : `activity: ${note}`)],
  }
}
