import { isLoopback, type Options } from './options.ts'

/**
 * The warning where credentials cross a network in plain text; null: TLS is on, the server is on loopback, or something
 * in front of it speaks TLS.
 */
export const exposed = ({
  host,
  tls,
  publicUrl,
}: Pick<Options, 'host' | 'tls' | 'publicUrl'>): string | null =>
  isLoopback(host) || tls !== null || publicUrl?.startsWith('https:')
    ? null
    : `${host} is served without TLS: whoever is on the network can read links and credentials`

/** The remedy, for the hint. */
export const EXPOSED_HINT =
  'give --tls-cert and --tls-key, or put a proxy in front and give --public-url https://…'
