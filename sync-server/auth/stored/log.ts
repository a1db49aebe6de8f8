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

/** Values were written by this program, so their shape is trusted. */
export const readAll = async (log: FactLog) => {
  const of = async <T>(prefix: string) => (await log.entries(prefix)).map(({ json }) => json as T)
  return {
    credentials: await of<Credential>('k:'),
    invites: await of<Invite>('j:'),
    audit: (await log.entries('l:')) as { key: string; json: AuditEntry }[],
    recovering: (await of<number>(RECOVERING_KEY))[0] ?? 0,
  }
}
