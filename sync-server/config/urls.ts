import { networkInterfaces } from 'node:os'
import { isAnywhere, isLoopback, type Options, urlOf } from './options.ts'

/** The server's URLs for this machine and for others. */
export const urlsOf = (
  options: Pick<Options, 'host' | 'tls'>,
  port: number,
): { local: string; lan: string[] } => {
  const local = urlOf(options, port)
  const { host } = options
  if (!isAnywhere(host)) return { local, lan: isLoopback(host) ? [] : [local] }
  const lan = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family, address }) => !internal && isReached(host, family, address))
    .map(({ address }) => urlOf({ host: address, tls: options.tls }, port))
  return { local, lan }
}

/** IPv6 only where it listens there; an address that begins so is good on one cable, and takes its name. */
const isReached = (host: string, family: string, address: string): boolean =>
  family === 'IPv4' || (host === '::' && !address.startsWith('fe80:'))
