export type Put = { type: 'put'; key: string; value: Uint8Array }
export type Op = Put | { type: 'del'; key: string }

/** Hex digits of 2^52, so that text order is number order. */
const SEQ_DIGITS = 13

export const seqDigits = (seq: number): string => seq.toString(16).padStart(SEQ_DIGITS, '0')
export const seqKey = (prefix: string, seq: number): string => `${prefix}:${seqDigits(seq)}`
export const seqOf = (key: string): number => Number.parseInt(key.slice(-SEQ_DIGITS), 16)

/** Marks after the name of a workspace in a key; names have none of them. */
const AFTER = [':', '/'] as const

/** The keys of a kind that begin with the name of a workspace, but for the one that is nothing else. */
export const rangesOf = (kind: string, workspace: string): { gte: string; lt: string }[] =>
  AFTER.map((after) => {
    // The next character of ASCII ends the range.
    const end = String.fromCharCode(after.charCodeAt(0) + 1)
    return { gte: `${kind}:${workspace}${after}`, lt: `${kind}:${workspace}${end}` }
  })

/** Kinds of keys that belong to the server, not to a workspace. */
const OF_THE_SERVER = 'fre'

/** The workspace whose key this is; '': it belongs to the server. The name comes first after the kind in every key. */
export const workspaceOfKey = (key: string): string =>
  OF_THE_SERVER.includes(key.charAt(0)) ? '' : (/^[^:/]*/.exec(key.slice(2))?.[0] ?? '')
