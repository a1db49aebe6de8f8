import { networkInterfaces } from 'node:os'
import { isAnywhere, isLoopback, type Options, urlOf } from './options.ts'

/** How a server is reached from this machine, and from others. */
export const urlsOf = (
  options: Pick<Options, 'host' | 'tls'>,
  port: number,
): { local: string; lan: string[] } => {
  const local = urlOf(options, port)
  const { host } = options
  if (!isAnywhere(host)) return { local, lan: isLoopback(host) ? [] : [local] }
  const lan = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family }) => !internal && family === 'IPv4')
    .map(({ address }) => urlOf({ host: address, tls: options.tls }, port))
  return { local, lan }
}
