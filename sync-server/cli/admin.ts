import { type OwnerFile, readOwner } from '../access/owner.ts'
import { type AdminActions, adminActions } from '../access/routes.ts'
import { OWNER } from '../access/speaker.ts'
import { AccessStore } from '../access/store.ts'
import { LIMITS } from '../guard/limits.ts'
import { openLog } from '../open-log.ts'
import { askServer } from '../ops/ask.ts'

/** What an admin can do, on a server that runs or on the data of one that does not. */
export interface Admin {
  do: <N extends keyof AdminActions>(
    name: N,
    body: Parameters<AdminActions[N]>[1],
  ) => Promise<Awaited<ReturnType<AdminActions[N]>>>
  /** Where others reach the server; null: it does not run. */
  reach: string | null
  close: () => Promise<void>
}

const READS = new Set<keyof AdminActions>(['agents', 'invites', 'audit'])

/** `mostInvites`: that may be open, where no server says it. Throws `data_locked`, `data_unusable`. */
export const openAdmin = async (
  data: string,
  mostInvites: number = LIMITS.invites.is,
): Promise<Admin> => {
  const owner = readOwner(data)
  if (owner?.url !== undefined && owner.pid !== undefined && isAlive(owner.pid)) {
    const { url } = owner
    try {
      await askServer(owner, '/')
      return overHttp(owner, url)
    } catch {
      // Another process has that number by now.
    }
  }
  const log = await openLog(data, Date.now, false)
  const store = await AccessStore.open(log.facts, Date.now, mostInvites)
  const actions = adminActions(store, Date.now)
  return {
    do: (name, body) => (actions[name] as (by: typeof OWNER, b: typeof body) => never)(OWNER, body),
    reach: null,
    close: () => log.close(),
  }
}

const overHttp = (owner: OwnerFile, url: string): Admin => ({
  do: async (name, body) => {
    const query = READS.has(name)
      ? `?${new URLSearchParams(Object.entries(body).map(([key, value]): [string, string] => [key, String(value)]))}`
      : ''
    return askServer<never>(owner, `/api/admin/${name}${query}`, READS.has(name) ? undefined : body)
  },
  reach: owner.reach ?? url,
  close: async () => {},
})

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
