import { type Op, seqDigits } from '../../storage/integrity/level-keys.ts'
import type { FactLog } from '../../storage/update-log.ts'
import type { AuditEntry, Credential, Invite } from './records.ts'

/**
 * Keys:
 *   `k:<workspace>/<agent>`   a credential (JSON)
 *   `j:<workspace>/<id>`      an invite (JSON); of any workspace: `j:/<id>`
 *   `n:<workspace>`           a workspace that somebody made (JSON)
 *   `l:<workspace>/<seq>`     an entry of the audit log (JSON); of the server: `l:/<seq>`
 *   `r:recovering`            until when others' operations are taken back (JSON number)
 *   `e:<hash>`                the workspace of a secret (JSON string); nodes of a cluster have it
 */
const utf8 = new TextEncoder()
export const putJson = (key: string, value: unknown): Op => ({
  type: 'put',
  key,
  value: utf8.encode(JSON.stringify(value)),
})
export const credentialKey = ({ workspace, agent }: Pick<Credential, 'workspace' | 'agent'>) =>
  `k:${workspace}/${agent}`
export const inviteKey = ({ workspace, id }: Pick<Invite, 'workspace' | 'id'>) =>
  `j:${workspace ?? ''}/${id}`
export const auditKey = (workspace: string | null, seq: number) =>
  `l:${workspace ?? ''}/${seqDigits(seq)}`
export const RECOVERING_KEY = 'r:recovering'

/** The entry that names a secret's workspace; null removes it. */
export const secretOp = ([hash, workspace]: readonly [string, string | null]): Op =>
  workspace === null ? { type: 'del', key: `e:${hash}` } : putJson(`e:${hash}`, workspace)

/** Credentials, invites and the audit log of one workspace, or of all. */
export interface StoredAccess {
  credentials: Credential[]
  invites: Invite[]
  audit: { key: string; json: AuditEntry }[]
}

/** Values were written by this program, so their shape is trusted. `workspace` absent: of all. */
export const readAccess = async (log: FactLog, workspace?: string): Promise<StoredAccess> => {
  const within = workspace === undefined ? '' : `${workspace}/`
  const of = async <T>(kind: string) =>
    (await log.entries(`${kind}:${within}`)).map(({ json }) => json as T)
  return {
    credentials: await of<Credential>('k'),
    invites: await of<Invite>('j'),
    audit: (await log.entries(`l:${within}`)) as StoredAccess['audit'],
  }
}

/** Until when others' operations are taken back (milliseconds since the epoch). */
export const readRecovering = async (log: FactLog): Promise<number> =>
  ((await log.get(RECOVERING_KEY)) as number | null) ?? 0
