import { isIPv4 } from 'node:net'
import { LAN_TYPE, type LanRecord, lanUrl } from '../../protocol/discovery.ts'

/** Servers of the same network answer within 10 to 20 ms; a machine that sleeps a little later (milliseconds). */
const LISTEN_MS = 1_000

/** The addresses of servers that announce themselves on this network. */
export const serversOnLan = async (): Promise<string[]> => {
  const { Bonjour } = await import('bonjour-service')
  const found = new Set<string>()
  const bonjour = new Bonjour({}, () => {}) // without a network no server answers
  const browser = bonjour.find({ type: LAN_TYPE }, ({ addresses = [], port, txt }) => {
    const [address] = addresses.filter(isIPv4)
    if (address !== undefined) found.add(lanUrl(address, port, (txt ?? {}) as Partial<LanRecord>))
  })
  await new Promise((resolve) => setTimeout(resolve, LISTEN_MS))
  browser.stop()
  await new Promise<void>((resolve) => bonjour.destroy(() => resolve()))
  return [...found].sort()
}
