/** The type of a ClawLink server in DNS-SD (RFC 6763): `_clawlink._tcp`. */
export const LAN_TYPE = 'clawlink'

/** The TXT record that a server announces on its network. Anybody can read it: it contains no secret. */
export interface LanRecord {
  version: string
  /** `required`: one joins by an invite. */
  auth: string
  /** Before `/sync` and `/api`, where it is not at the root. */
  path: string
  /** `1`: it speaks TLS. */
  tls: string
  /** Workspaces of the server (count). */
  workspaces: string
}

/** The address of a server that announced itself. */
export const lanUrl = (
  address: string,
  port: number,
  { tls, path }: Partial<LanRecord>,
): string => {
  const host = address.includes(':') ? `[${address}]` : address
  return `http${tls === '1' ? 's' : ''}://${host}:${port}${(path ?? '').replace(/\/+$/, '')}`
}
