import { postInvite } from '../../../client/http/api.ts'
import { spanIn } from '../../../lib/text/when.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { joinLink, MAX_INVITE_DAYS, ROLES } from '../../../protocol/roles.ts'
import type { Verb } from '../../command/call.ts'
import { numberIn } from '../../command/versions.ts'

/** Makes a join link to this workspace; takes a credential with the role admin. */
export const invite: Verb = async (call) => {
  const role = ROLES.find((known) => known === (call.flag('role') ?? 'write'))
  if (role === undefined) {
    throw new ClawError(
      'usage',
      `unknown role "${call.flag('role')}"`,
      `one of: ${ROLES.join(', ')}`,
    )
  }
  const uses = numberIn(call, 'uses') ?? 1
  await call.access.ready()
  const { target, workspace } = call
  const expires_in = spanIn('expires', call.flag('expires') ?? '7d', MAX_INVITE_DAYS)
  const { secret, ...made } = await postInvite(target, { workspace, role, uses, expires_in })
  const link = joinLink(target.base, workspace, secret)
  return {
    data: { ...made, link },
    lines: [link],
    notes: [`good until ${made.expires_at}; join with: clawlink-agent join -`],
  }
}
