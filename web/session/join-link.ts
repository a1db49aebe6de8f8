import { random } from '../../protocol/fresh-ids.ts'
import { call, type Session } from './api.ts'

/** A join link's parts, from the fragment of the address. */
export interface JoinLink {
  workspace: string
  invite: string
}

/** The link that this tab is joining by: a reload in between loses nothing. It is forgotten once the browser has joined. */
const PENDING = `clawlink-joining/${location.pathname}`
/** The attempt to join by a link: the same one made again gets the same answer, and uses the link up once. */
const ATTEMPT = `${PENDING}/attempt`
const ATTEMPT_BYTES = 32

/** The join link in a fragment; null: there is none. */
export const linkIn = (fragment: string): JoinLink | null => {
  const fields = new URLSearchParams(fragment.replace(/^#/, ''))
  const invite = fields.get('i')
  return invite === null ? null : { workspace: fields.get('w') ?? 'default', invite }
}

export const keepLink = (link: JoinLink): void =>
  sessionStorage.setItem(PENDING, JSON.stringify(link))

/** The link that this tab was joining by before it was reloaded. */
export const keptLink = (): JoinLink | null => {
  const kept = sessionStorage.getItem(PENDING)
  return kept === null ? null : (JSON.parse(kept) as JoinLink)
}

export const forgetLink = (): void => {
  sessionStorage.removeItem(PENDING)
  localStorage.removeItem(ATTEMPT)
}

/**
 * Trades a link for a credential of this browser. Made again by the same browser, in whichever tab, after an answer that
 * was lost, it gets the same credential. Throws the server's error.
 */
export const joinBy = ({ invite, workspace }: JoinLink, name: string): Promise<Session> =>
  call<Session>(workspace, 'POST', 'api/session', {
    ...{ invite, workspace, attempt: attempt() },
    ...(name !== '' && { name }),
  })

const attempt = (): string => {
  const kept = localStorage.getItem(ATTEMPT)
  if (kept !== null) return kept
  const bytes = random(new Uint8Array(ATTEMPT_BYTES))
  const fresh = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
  localStorage.setItem(ATTEMPT, fresh)
  return fresh
}
