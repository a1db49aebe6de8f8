import { parseTarget, WHOLE_LINK } from '../../../client/http/target.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { Verb } from '../../command/call.ts'
import { accessOf, moveDefault } from '../../command/profile.ts'
import { oneLine } from '../../command/text.ts'

const NOT_RUNNING =
  'ask who gave you the link whether that server runs, and can be reached from here; then join again'

/** Trades a join link for a credential of this profile's own, and keeps where its team is. */
export const join: Verb = async (call) => {
  const { env } = call.request
  const file = call.flag('file')
  const given = file === undefined ? call.text('link') : call.readBody(file)
  // At a keyboard the shim asks for the link that nothing else gives.
  const link = (given ?? (env.CLAWLINK_JOIN || call.readBody('-'))).trim()
  if (link === '') {
    throw new ClawError(
      'usage',
      'no join link',
      'give it on stdin (join -), in a file (--file PATH) or in CLAWLINK_JOIN',
    )
  }
  const target = parseTarget(link)
  if (target.invite === undefined) {
    throw new ClawError(
      'bad_url',
      'that link has no invite in it',
      `${WHOLE_LINK}; unquoted, the shell cuts it at &`,
    )
  }
  const workspace = target.workspace ?? 'default'
  if (call.flag('workspace') !== undefined && call.workspace !== workspace) {
    throw new ClawError('usage', `the link is for "${workspace}"`, 'leave --workspace out')
  }
  const access = accessOf(call.profile, target, workspace, { ...env }, { follows: true })
  const before = access.role
  await access.join({ token: target.invite }).catch((thrown: unknown) => {
    const error = ClawError.from(thrown)
    if (error.code === 'unreachable') throw new ClawError(error.code, error.message, NOT_RUNNING)
    if (error.code !== 'unauthorized' || before === null) throw error
    const hint = `this profile has joined already, role ${before}: only a new link changes that`
    throw new ClawError(error.code, error.message, hint)
  })
  const moved = moveDefault(call.profile, target.base, workspace)
  const role = access.role ?? 'write'
  for (const { profile, handle } of call.host.link?.workspaces() ?? []) {
    if (profile === call.profile.dir) handle.session?.redial()
  }
  return {
    data: { server: target.base, workspace, role, agent_id: access.agentId },
    lines: [oneLine(`joined ${workspace} of ${target.base}, role ${role}`)],
    notes: [
      ...moved,
      role === 'read'
        ? 'this profile only reads: clawlink-agent discover, file-list, log, tasks'
        : 'now: clawlink-agent register --name NAME',
    ],
  }
}
