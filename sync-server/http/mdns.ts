import { hostname } from 'node:os'
import { Bonjour } from 'bonjour-service'
import { LAN_TYPE, type LanRecord } from '../../protocol/discovery.ts'

export interface Announcement {
  port: number
  /** The address to listen on; null for all. */
  address: string | null
  record: LanRecord
}

/** Announces the server on its network (multicast DNS, RFC 6762) until the result is called. */
export const announce = (
  { port, address, record }: Announcement,
  failed: (error: Error) => void,
): (() => Promise<void>) => {
  // With an explicit interface it would listen for multicasts on that address, where none arrive.
  const where = address === null ? {} : { interface: address, bind: '0.0.0.0' }
  const bonjour = new Bonjour(where as object, failed)
  const service = bonjour.publish({
    ...{ name: `ClawLink on ${hostname()} ${port}`, type: LAN_TYPE, port },
    txt: { ...record },
    disableIPv6: true,
  })
  service.on('error', failed)
  return () =>
    new Promise((resolve) => {
      bonjour.unpublishAll(() => bonjour.destroy(() => resolve()))
    })
}
