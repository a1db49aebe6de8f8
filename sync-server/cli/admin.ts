import type { ClawError } from '../../protocol/errors.ts'
import type { OwnerFile } from '../auth/owner.ts'
import { AccessStore } from '../auth/store.ts'
import { LIMITS } from '../config/quotas.ts'
import { askServer } from '../ops/ask.ts'
import { isServed, ownerOf } from '../ops/source.ts'
import { type AdminActions, adminActions } from '../routes/admin-actions.ts'
import { openLog } from '../storage/open-log.ts'
import { type Place, shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import { OWNER } from '../sync/principal.ts'

/** The actions of an admin, on a running server or on the data of a stopped one. */
export interface Admin {
  do: <N extends keyof AdminActions>(
    name: N,
    body: Parameters<AdminActions[N]>[1],
  ) => Promise<Awaited<ReturnType<AdminActions[N]>>>
  /** The server's address for others; null: it is stopped. */
  reach: string | null
  close: () => Promise<void>
}

const READS = new Set<keyof AdminActions>(['agents', 'invites', 'audit', 'workspaces'])

/** `mostInvites`: limit on open invites for a stopped server. Throws `data_locked`, `data_unusable`. */
export const openAdmin = async (
  place: Place,
  mostInvites: number = LIMITS.invites.is,
): Promise<Admin> => {
  if (await isServed(place)) return overHttp(await ownerOf(place))
  // Only one process has the store. If another has it, that is the server to ask.
  const log = await openLog(place, Date.now, false).catch((error: ClawError) => {
    if (error.code === 'data_locked') return null
    throw error
  })
  if (log === null) return overHttp(await ownerOf(place))
  const store = await AccessStore.open(log, Date.now, {
    invites: mostInvites,
    workspaces: LIMITS.workspaces.is,
  })
  const actions = adminActions(store, Date.now)
  return {
    do: (name, body) => {
      const act = actions[name] as (by: typeof OWNER, b: typeof body) => Promise<never>
      return act(OWNER, body).catch((thrown) => {
        throw storeError(shownPlace(place), thrown)
      })
    },
    reach: null,
    close: () => log.close(),
  }
}

const overHttp = (owner: OwnerFile): Admin => ({
  do: async (name, body) => {
    const query = READS.has(name)
      ? `?${new URLSearchParams(Object.entries(body).map(([key, value]): [string, string] => [key, String(value)]))}`
      : ''
    return askServer<never>(owner, `/api/admin/${name}${query}`, READS.has(name) ? undefined : body)
  },
  reach: owner.reach ?? owner.url ?? null,
  close: async () => {},
})
