import type { Session } from './api.ts'

/** The workspace that this browser opened last, and whose it is: no secret. */
const NAME = `clawlink/${location.pathname}`

export const rememberLast = (session: Session): void =>
  localStorage.setItem(NAME, JSON.stringify(session))

export const forgetLast = (): void => localStorage.removeItem(NAME)

/** Null: there was none, or it was forgotten. */
export const lastSession = (): Session | null => {
  const kept = localStorage.getItem(NAME)
  return kept === null ? null : (JSON.parse(kept) as Session)
}
