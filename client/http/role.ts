import { ROLES } from '../../protocol/roles.ts'
import { serverInfo } from './api.ts'
import type { Access } from './credentials.ts'
import type { ServerAt } from './target.ts'

/**
 * Asks the server which role a profile's credential has now, and keeps it. Returns true if that is another one than
 * before. Throws `unreachable`, `not_clawlink`.
 */
export const learnRole = async (access: Access, server: ServerAt): Promise<boolean> => {
  if (access.token() === null) return false
  const { role } = await serverInfo(server)
  const known = ROLES.find((one) => one === role)
  return known !== undefined && access.roleIs(known)
}
