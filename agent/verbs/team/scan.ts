import { serverInfo } from '../../../client/http/api.ts'
import { DEFAULT_SERVER, parseTarget } from '../../../client/http/target.ts'
import type { Verb } from '../../command/call.ts'
import { serversOnLan } from '../../command/lan.ts'
import { word } from '../../command/text.ts'

/** A server on the same network answers in milliseconds. */
const TIMEOUT_MS = 2_000

export const scan: Verb = async (call) => {
  const { server } = call.profile.state
  const places = [call.target.base, DEFAULT_SERVER]
  if (server !== undefined) places.push(server)
  if (call.request.env.CLAWLINK_SERVER) {
    places.push(parseTarget(call.request.env.CLAWLINK_SERVER).base)
  }
  const onLan = await serversOnLan()
  const asked = await Promise.all(
    [...new Set([...places, ...onLan])].map(async (url) => {
      try {
        const { service, version } = await serverInfo({ base: url }, TIMEOUT_MS)
        return [{ url, service, version }]
      } catch {
        return [] // not there, or not ours: a scan lists those that are
      }
    }),
  )
  const servers = asked.flat()
  return {
    data: { servers, count: servers.length },
    lines: servers.map(({ url, version }) => `${url}  clawlink-sync ${word(version)}`),
    notes:
      servers.length > 0 ? [] : ['no server answers at the known addresses, or on this network'],
  }
}
