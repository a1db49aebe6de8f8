declare const brand: unique symbol
type Branded<Name> = string & { readonly [brand]: Name }

/** One agent or person of a workspace; survives restarts and re-registration. */
export type AgentId = Branded<'AgentId'>
/** One task; also the `message_id` of its delegation. */
export type TaskId = Branded<'TaskId'>
/** One entry of the broadcast log. */
export type BroadcastId = Branded<'BroadcastId'>
/** Path of a shared file inside the workspace: POSIX, NFC, relative. */
export type FileKey = Branded<'FileKey'>
/** A proposal to change a shared file: `s-` and its number in the workspace. */
export type SuggestionId = Branded<'SuggestionId'>
/** Name of a file's content for good: the path it was first created under. */
export type FileId = Branded<'FileId'>

/** Crockford's base 32 without vowels' look-alikes: easy to read aloud, safe in URLs and shells. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** 12 characters, 60 bits: among a million ids the chance of any collision is below 1 in 2 million. */
const ID_LENGTH = 12

/** Fills `bytes` with random bytes, as `crypto.getRandomValues` does; a seeded one replays a run. */
export type RandomBytes = (bytes: Uint8Array) => Uint8Array

const newId = (prefix: string, random: RandomBytes): string => {
  let id = prefix
  for (const byte of random(new Uint8Array(ID_LENGTH))) id += ALPHABET[byte & 31]
  return id
}

export const newAgentId = (random: RandomBytes) => newId('a-', random) as AgentId
export const newTaskId = (random: RandomBytes) => newId('t-', random) as TaskId
/** An id for an undo. */
export const newUndoId = (random: RandomBytes): string => newId('u-', random)
export const newBroadcastId = (random: RandomBytes) => newId('m-', random) as BroadcastId

const KINDS = { a: 'an agent', t: 'a task', m: 'a message' } as const

/** Of an id that is unknown: `: that is the id of a message`, where it is of another kind than `wanted`; else nothing. */
export const otherKind = (id: string, wanted: keyof typeof KINDS): string => {
  const kind = /^([atm])-[0-9a-z]{12}$/.exec(id)?.[1] as keyof typeof KINDS | undefined
  return kind === undefined || kind === wanted ? '' : `: that is the id of ${KINDS[kind]}`
}

/** A SHA-256 in lower-case hex: the name of a blob, which are bytes that the server keeps. */
export const isBlobName = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)
