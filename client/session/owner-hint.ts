import { whoIs } from '../http/identity.ts'

/** Longest address that is read (characters). */
const MAX_ADDRESS = 500

/**
 * The address at which one node of a cluster is reached directly, as the owner of the workspace says to a link that came by
 * another node. It is a hint, and trusted only so far: both addresses speak TLS, the host is that of the configured address
 * or below it, so that nobody but its owner can name another, and the server there proves to know the credential without being
 * shown it. It serves for one connection; after a failure or the end of that the configured address is next.
 */
export class OwnerHint {
  readonly #base: string
  /** Being proved, or proved and in use. */
  #heard: string | null = null
  #direct: string | null = null

  /** `base`: the configured address. */
  constructor(base: string) {
    this.#base = base
  }

  /** The base of the address to dial; null: the configured one. */
  get direct(): string | null {
    return this.#direct
  }

  /** Takes what the server said on a connection to the configured address, which was shown `token`. */
  async hear(said: unknown, token: string | null): Promise<void> {
    const base = directIn(said, this.#base)
    if (base === this.#heard) return
    this.drop()
    if (base === null || token === null) return
    this.#heard = base
    const proven = await whoIs(base, token).catch(() => null)
    if (proven?.knows === true && this.#heard === base) this.#direct = base
  }

  /** Call when a connection to it failed, or has ended. */
  drop(): void {
    this.#heard = null
    this.#direct = null
  }
}

/** The base of an address that a server at `configured` may name; null: it is none. */
export const directIn = (said: unknown, configured: string): string | null => {
  if (typeof said !== 'string' || said.length > MAX_ADDRESS || !URL.canParse(said)) return null
  const [url, own] = [new URL(said), new URL(configured)]
  const isPlain = url.username === '' && url.password === '' && url.search === '' && url.hash === ''
  const isTls = url.protocol === 'https:' && own.protocol === 'https:'
  const isBelow = url.hostname === own.hostname || url.hostname.endsWith(`.${own.hostname}`)
  if (!isPlain || !isTls || !isBelow) return null
  const base = `${url.origin}${url.pathname.replace(/\/+$/, '')}`
  return base === configured ? null : base
}
