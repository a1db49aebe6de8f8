/** The looks that a person can choose; `auto` follows the terminal's ground. */
export const THEMES = ['auto', 'dark', 'light', 'mono', 'high-contrast'] as const
export type Theme = (typeof THEMES)[number]

/** The ground of the terminal; null: not known. */
export type Ground = 'dark' | 'light' | null

/** Terminals answer this with the colour of their ground (OSC 11). */
export const ASK_GROUND = '\u001b]11;?\u0007'

const ANSWER = /\u001b\]11;([^\u0007\u001b]{0,64})(?:\u0007|\u001b\\)/g
/** An answer that has only begun. */
const BEGUN = /\u001b\](?:1(?:1(?:;[^\u0007\u001b]{0,64}\u001b?)?)?)?$/

/** Terminals that print what they do not know. */
const DUMB = /^(?:dumb|linux|cons|vt\d)/

/** True if a terminal may be asked for its ground. */
export const canAskGround = (term: string | undefined): boolean =>
  term !== undefined && term !== '' && !DUMB.test(term)

/** The ground by `COLORFGBG` (`15;0`), which some terminals set. */
export const groundOf = (colours: string | undefined): Ground => {
  const last = colours?.split(';').at(-1) ?? ''
  if (!/^\d{1,2}$/.test(last)) return null
  const colour = Number(last)
  return colour === 7 || (colour >= 9 && colour <= 15) ? 'light' : 'dark'
}

/** Parts of 1 of the brightness that an eye sees (ITU-R BT.709). */
const WEIGHTS = [0.2126, 0.7152, 0.0722] as const

/** `rgb:ffff/ffff/ffff`, with one to four digits each; anything else is null. */
const groundIn = (answer: string): Ground => {
  const parts = /^rgba?:([\da-f]{1,4})\/([\da-f]{1,4})\/([\da-f]{1,4})/i.exec(answer)?.slice(1, 4)
  if (parts === undefined) return null
  const bright = parts.reduce(
    (sum, part, i) => sum + WEIGHTS[i]! * (Number.parseInt(part, 16) / (16 ** part.length - 1)),
    0,
  )
  return bright > 0.5 ? 'light' : 'dark'
}

/** Takes answers about the ground out of what a terminal sent; `pending` is what may be the beginning of one. */
export const splitGround = (text: string): { grounds: Ground[]; rest: string; pending: string } => {
  const grounds: Ground[] = []
  const rest = text.replace(ANSWER, (_, answer: string) => {
    grounds.push(groundIn(answer))
    return ''
  })
  const pending = BEGUN.exec(rest)?.[0] ?? ''
  return { grounds, rest: rest.slice(0, rest.length - pending.length), pending }
}
