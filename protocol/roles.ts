import { isReserved } from './name-space.ts'

/** Rights of a credential in its workspace, lowest first; each includes the ones before it. */
export type Role = 'read' | 'suggest' | 'write' | 'admin'
/** Longest validity of an invite (days). */
export const MAX_INVITE_DAYS = 3_660

export const ROLES = ['read', 'suggest', 'write', 'admin'] as const satisfies readonly Role[]

/** Begins the reason of a close (1001) for a credential whose role changed; the role follows. */
export const ROLE_CHANGED = 'the role of this credential is now '

/** The role that such a reason names; null: it is another reason. */
export const roleIn = (reason: string): Role | null =>
  ROLES.find((role) => reason === `${ROLE_CHANGED}${role}`) ?? null

/** Returns true if `role` has all rights of `needed`. */
export const includes = (role: Role, needed: Role): boolean =>
  ROLES.indexOf(role) >= ROLES.indexOf(needed)

/** The lowest of some roles, of which there is one: the one that a caller needs. */
export const lowestOf = (roles: readonly Role[]): Role => ROLES.find((one) => roles.includes(one))!

/** Prefixes of secrets, by purpose: scanners and readers of a leaked log recognize them. */
export const PREFIX = {
  owner: 'clo_',
  invite: 'cli_',
  credential: 'clc_',
  ticket: 'clt_',
  http: 'clh_',
} as const
export type SecretKind = keyof typeof PREFIX

/** 32 bytes, base64url. */
const SECRET_BODY = /^[A-Za-z0-9_-]{43}$/

export const isSecret = (kind: SecretKind, text: string): boolean =>
  text.startsWith(PREFIX[kind]) && SECRET_BODY.test(text.slice(PREFIX[kind].length))

/** Name of a secret, from its SHA-256 in hex, for a server that must prove that it knows the secret. Reveals nothing. */
export const secretId = (hash: string): string => hash.slice(0, 16)

/** Text of the proof of a secret: its HMAC-SHA256, with the SHA-256 of the secret in hex as the key. */
export const proofText = (nonce: string): string => `clawlink-prove ${nonce}`

/** Proof of a server's identity: its public key, and the signature of `serverText`. */
export interface ServerProof {
  id: string
  /** Its public key: Ed25519, SPKI in DER, base64url. */
  key: string
  /** Of `serverText(nonce)`, base64url. */
  signature: string
}

/** Text that a server signs to prove its identity. The key signs nothing else. */
export const serverText = (nonce: string): string => `clawlink-server ${nonce}`

/** A server's id, from the SHA-256 of its public key in hex. */
export const serverIdOf = (hash: string): string => `s-${hash.slice(0, 32)}`

/** Any secret in a text, to be left out of logs and messages. */
export const SECRETS = /\bcl[oicth]_[A-Za-z0-9_-]{20,}/g
export const redacted = (text: string): string => text.replace(SECRETS, '[secret]')

/** Ids that can be an agent's: what ClawLink makes, and what fits into a URL and a key. */
export const isAgentId = (text: string): boolean =>
  /^[\w.-]{1,64}$/.test(text) &&
  !/^\.+$/.test(text) &&
  !isReserved(text) &&
  !(text in Object.prototype)

/**
 * The folders of a user in which a running server leaves an invite for that user's own programs: CLAWLINK_RUN_DIR, else
 * one below XDG_RUNTIME_DIR and one below the folder for temporary files, as a service may have only the latter.
 */
export const runDirsOf = (
  env: Readonly<Record<string, string | undefined>>,
  tmp: string,
  uid: number,
): string[] => {
  if (env.CLAWLINK_RUN_DIR) return [env.CLAWLINK_RUN_DIR]
  const session = env.XDG_RUNTIME_DIR ? [`${env.XDG_RUNTIME_DIR}/clawlink`] : []
  return [...session, `${tmp}/clawlink-${uid}`]
}

/** The file in it of a server that listens on `port`. */
export const runFileOf = (dir: string, port: number): string => `${dir}/sync-${port}.json`

/** A link that lets somebody join: the secret is in the fragment, which no client sends. */
export const joinLink = (base: string, workspace: string, invite: string): string =>
  `${base}/#w=${workspace}&i=${invite}`
