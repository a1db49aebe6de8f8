import { BlockList, isIP, isIPv6 } from 'node:net'
import { ClawError } from '../../protocol/errors.ts'

/** True for the address of a trusted proxy. */
export type Proxies = (address: string) => boolean

/** One customer can use any of the last 64 bits of an IPv6 address. */
const groupOf = (address: string): string => {
  if (!isIPv6(address)) return address
  const [head = '', tail = ''] = address.split('::')
  const left = head === '' ? [] : head.split(':')
  const right = tail === '' ? [] : tail.split(':')
  const zeros = address.includes('::') ? Math.max(0, 8 - left.length - right.length) : 0
  const all = [...left, ...Array.from({ length: zeros }, () => '0'), ...right]
  return `${all
    .slice(0, 4)
    .map((part) => Number.parseInt(part, 16).toString(16))
    .join(':')}::/64`
}

/** Unwraps an IPv4-mapped IPv6 address. */
const plain = (address: string): string =>
  address.replace(/^::ffff:(?=\d+\.)/i, '').replace(/%.*$/, '')

/** Reads `--trust-proxy`: addresses and networks (CIDR), comma-separated, and `loopback`. Throws `usage`. */
export const parseProxies = (text: string): Proxies => {
  const list = new BlockList()
  for (const part of text.split(',').map((one) => one.trim())) {
    if (part === '') continue
    if (part === 'loopback') {
      list.addSubnet('127.0.0.0', 8)
      list.addAddress('::1', 'ipv6')
      continue
    }
    const [address = '', prefix, more] = part.split('/')
    const family = isIP(address)
    const bits = prefix === undefined ? null : Number(prefix)
    const isRight = bits === null || (/^\d+$/.test(prefix!) && bits <= (family === 4 ? 32 : 128))
    if (family === 0 || more !== undefined || !isRight) {
      throw new ClawError(
        'usage',
        `"${part}" is not an address or network`,
        'give addresses or networks like 10.0.0.0/8, comma-separated, or loopback',
      )
    }
    const kind = family === 4 ? 'ipv4' : 'ipv6'
    if (bits === null) list.addAddress(address, kind)
    else list.addSubnet(address, bits, kind)
  }
  return (address) => {
    const family = isIP(address)
    return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6')
  }
}

/**
 * Address of the client of a request: the peer, or behind trusted proxies the last address in `X-Forwarded-For` that
 * is not one of them (clients can forge those before it). IPv6 addresses are grouped by /64.
 */
export const addressOf = (
  peer: string | undefined,
  forwardedFor: string | undefined,
  isProxy: Proxies,
): string => {
  let address = plain(peer ?? '')
  const said = (forwardedFor ?? '').split(',').map((part) => plain(part.trim()))
  while (isProxy(address) && said.length > 0) {
    const before = said.pop()!
    if (isIP(before) === 0) break
    address = before
  }
  return groupOf(address)
}
