import { expect, it, vi } from 'vitest'
import { AccessStore } from '../../../sync-server/auth/store.ts'
import { hashOf } from '../../../sync-server/auth/stored/secrets.ts'
import type { Creating } from '../../../sync-server/auth/stored/state.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { OWNER } from '../../../sync-server/sync/principal.ts'
import { tempDir } from '../../support/server.ts'

const MOST = { invites: 100, workspaces: 3 }
const invited = (workspace: string) => ({
  ...{ workspace, role: 'write' as const, uses: null, expiresAt: null },
})

/** Two nodes' members on one log; the test says which of them owns what. */
const nodes = async () => {
  const log = await LevelUpdateLog.open(tempDir('nodes'), Date.now)
  const owned = new Map<string, AccessStore>()
  const creating =
    (store: () => AccessStore): Creating =>
    async (name, most) => {
      if (owned.has(name)) return 'exists'
      if (owned.size >= most) return 'full'
      owned.set(name, store())
      await store().load(name)
      return 'made'
    }
  const one: AccessStore = await AccessStore.open(
    log,
    Date.now,
    MOST,
    creating(() => one),
  )
  const other: AccessStore = await AccessStore.open(
    log,
    Date.now,
    MOST,
    creating(() => other),
  )
  const indexed = async (secret: string) => log.facts.get(`e:${hashOf(secret)}`)
  return { log, one, other, indexed }
}

it('[NODE-9] a node has the members of the workspaces that it owns, as they are stored when it claims them', async () => {
  vi.useFakeTimers({ toFake: ['Date'] })
  const { log, one, other, indexed } = await nodes()
  await one.admin.create('a', 'me')
  await one.admin.create('b', 'me')
  const { secret, invite } = await one.admin.invite(invited('a'), OWNER)
  const joined = await one.members.join({ invite: secret, agent: 'a-ann0000000001', name: 'ann' })
  expect(await Promise.all([secret, joined.credential].map(indexed))).toEqual(['a', 'a'])
  expect(one.authenticator.authenticate(joined.credential)).toMatchObject({ workspace: 'a' })
  // Another node knows nobody before it claims the workspace.
  expect(other.authenticator.isGood(joined.credential)).toBe(false)
  expect([other.workspaces.has('a'), other.members.list(null)]).toEqual([false, []])
  const authenticating = () => one.authenticator.authenticate(joined.credential)
  one.unload(['a'])
  // It is no stranger's: the request came before the workspace went.
  expect(authenticating).toThrow(expect.objectContaining({ code: 'moved' }))
  const late = { invite: secret, agent: 'a-bob0000000001' }
  await expect(one.members.join(late)).rejects.toMatchObject({ code: 'moved' })
  vi.setSystemTime(Date.now() + 10_001)
  expect(authenticating).toThrow(expect.objectContaining({ code: 'unauthorized' }))
  vi.useRealTimers()
  expect([one.workspaces.names, one.admin.audit(null, 9).map(({ what }) => what)]).toEqual([
    ['b'],
    ['created'],
  ])
  await other.load('a')
  expect(other.authenticator.isGood(joined.credential)).toBe(true)
  await other.admin.revoke('a-ann0000000001', 'a', OWNER)
  await other.admin.revoke(invite.id, 'a', OWNER)
  expect(await indexed(secret)).toBe(null)
  // It comes back as it is by then.
  other.unload(['a'])
  await one.load('a')
  expect(() => one.authenticator.authenticate(joined.credential)).toThrow('was revoked')
  const whats = one.admin.audit('a', 9).map(({ what }) => what)
  expect(whats).toEqual(['created', 'invited', 'joined', 'revoked', 'revoked'])
  await log.close()
})

it('[NODE-9] workspaces are counted in the whole cluster, and a list of all has those of other nodes', async () => {
  const { log, one, other } = await nodes()
  await one.admin.create('a', 'me')
  await other.admin.create('b', 'me')
  await other.admin.create('a', 'me')
  expect([one.workspaces.names, other.workspaces.names]).toEqual([['a'], ['b']])
  await one.admin.create('c', 'me')
  await expect(other.admin.create('d', 'me')).rejects.toMatchObject({ code: 'too_many' })
  const all = await other.overAll()
  expect(all.workspaces.names).toEqual(['a', 'b', 'c', 'default'])
  const noted = all.admin.audit(null, 9).map(({ workspace }) => workspace)
  expect(noted.toSorted()).toEqual(['a', 'b', 'c'])
  await log.close()
})

it('[NODE-9] each owner token of the cluster opens every node', async () => {
  const { log, one } = await nodes()
  one.authenticator.trustOwners([hashOf('clo_one'), hashOf('clo_two'), ''])
  for (const token of ['clo_one', 'clo_two']) {
    expect(one.authenticator.authenticate(token)).toEqual(OWNER)
  }
  expect(one.authenticator.isGood('')).toBe(false)
  await log.close()
})
