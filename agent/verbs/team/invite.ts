import { postInvite } from '../../../client/http/api.ts'
import { joinLink, ROLES } from '../../../protocol/roles.ts'
import type { Verb } from '../../command/call.ts'

const WEEK_MS = 7 * 24 * 60 * 60_000

/** Makes a join link to this workspace. It needs the role admin. */
export const invite: Verb = async (call) => {
  const role = call.oneOf('role', ROLES) ?? 'write'
  const uses = call.number('uses') ?? 1
  await call.access.ready()
  const { target, workspace } = call
  const expires_in = call.span('expires') ?? WEEK_MS
  const { secret, ...made } = await postInvite(target, { workspace, role, uses, expires_in })
  const link = joinLink(target.base, workspace, secret)
  return {
    data: { ...made, link },
    lines: [link],
    notes: [`good until ${made.expires_at}; join with: clawlink-agent join -`],
  }
}
