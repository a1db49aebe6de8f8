import type { Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inviteSameUser, saveOwner } from '../auth/owner.ts'
import { isAnywhere, isLoopback } from '../config/options.ts'
import { urlsOf } from '../config/urls.ts'
import { Corruption, causeOf } from '../storage/integrity/corruption.ts'
import { shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import { listen } from './http-server.ts'
import type { Parts } from './parts.ts'

export interface Announced {
  port: number
  /** Withdraws the server's announcement on the network (multicast DNS). */
  silence: () => Promise<void>
  /** Removes the invite for this machine's user. */
  uninvite: () => void
}

/**
 * Listens, and announces the address to the owner, the network and this machine's user. Throws
 * `port_taken`, `usage`, `data_damaged`, `data_unusable`, after closing the stores.
 */
export const openToClients = async (http: HttpServer, parts: Parts): Promise<Announced> => {
  const { place, options, health, rooms, history, updateLog, cluster } = parts
  try {
    // A node claims a workspace when somebody needs it.
    if (cluster === null) {
      await rooms.rooms.open('default').loaded.catch((error) => {
        // One failed workspace must not stop the others.
        if (health.failure !== null || causeOf(error, Corruption) !== null) throw error
      })
    }
    await listen(http, options)
    return await announce(http, parts)
  } catch (error) {
    http.close()
    await rooms.recovery.close()
    await rooms.rooms.flush()
    rooms.rooms.close()
    await history.close()
    await updateLog.close()
    throw storeError(shownPlace(place), error)
  }
}

const announce = async (http: HttpServer, parts: Parts): Promise<Announced> => {
  const { options, owner, sameUserInvite } = parts
  const { port } = http.address() as AddressInfo
  const { local: url, lan } = urlsOf(options, port)
  await saveOwner(options.data, {
    token: owner.token,
    url,
    reach: options.publicUrl ?? lan[0] ?? url,
    pid: process.pid,
  })
  const silence = options.hasMdns ? await announceOnNetwork(port, parts) : async () => {}
  const isLocal = isLoopback(options.host) || isAnywhere(options.host)
  const invites = isLocal && sameUserInvite !== null
  const uninvite = invites ? await inviteSameUser(port, sameUserInvite) : () => {}
  return { port, silence, uninvite }
}

const announceOnNetwork = async (
  port: number,
  { options, version, access, log }: Parts,
): Promise<() => Promise<void>> => {
  const mdns = await import('../http/mdns.ts')
  const record = {
    ...{ version, auth: 'required', path: '', tls: options.tls === null ? '0' : '1' },
    workspaces: String(access.workspaces.names.length),
  }
  const address = isAnywhere(options.host) ? null : options.host
  return mdns.announce({ port, address, record }, (err) =>
    log.warn({ err }, 'the server is not announced on the network'),
  )
}
