import { expect, it } from 'vitest'
import { AccessStore } from '../../../sync-server/auth/store.ts'
import { newSecret } from '../../../sync-server/auth/stored/secrets.ts'
import { adminActions } from '../../../sync-server/routes/admin-actions.ts'
import type { Op } from '../../../sync-server/storage/integrity/level-keys.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import type { FactLog } from '../../../sync-server/storage/update-log.ts'
import { OWNER, type TokenHolder } from '../../../sync-server/sync/principal.ts'
import { tempDir } from '../../support/server.ts'

const utf8 = new TextDecoder()
const NOW = 1_000_000

/** A disk that refuses the write with this number. */
class Disk implements FactLog {
  readonly stored = new Map<string, unknown>()
  refuses = Number.POSITIVE_INFINITY
  writes = 0

  get = async (key: string) => this.stored.get(key) ?? null
  entries = async (prefix: string) =>
    [...this.stored]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, json]) => ({ key, json }))
  readable = this.entries
  put = async (ops: Op[]) => {
    await new Promise(setImmediate)
    if (++this.writes === this.refuses) throw new Error('no space left on device')
    for (const op of ops) {
      if (op.type === 'del') this.stored.delete(op.key)
      else this.stored.set(op.key, JSON.parse(utf8.decode(op.value)))
    }
  }
}

const open = (disk: Disk) =>
  AccessStore.open({ facts: disk, workspaces: async () => [] }, () => NOW, {
    ...{ invites: 100, workspaces: 100 },
  })

/** All that can be seen of a store. */
const seen = async (store: AccessStore, secrets: readonly string[]) => ({
  members: store.members.list(null),
  invites: store.admin.invites(null),
  audit: store.admin.audit(null, 1_000),
  isRecovering: store.isRecovering,
  workspaces: store.workspaces.names,
  good: secrets.map((secret) => store.authenticator.isGood(secret)),
})

const [ann, bob, spare] = ['credential', 'credential', 'credential'].map(() =>
  newSecret('credential'),
) as [string, string, string]

/** Each operation that changes something, as it is done again by a client that was refused. */
const life = (store: AccessStore, secrets: Set<string>) => {
  const admin = adminActions(store, () => NOW)
  const made: Record<string, string> = {}
  const make = async (name: string, http?: string) => {
    const { secret, invite } = await admin.invite(OWNER, {
      ...{ role: 'write', uses: 1, expires_in: null, ...(http !== undefined && { http }) },
    })
    made[name] = secret
    made[`${name}.id`] = invite
    secrets.add(secret)
  }
  const holder = () => store.authenticator.authenticate(made.token!) as TokenHolder
  const settled = () => store.admin.recover(1_000, OWNER)
  return [
    () => store.admin.create('docs', 'owner'),
    () => make('first'),
    () => store.members.join({ invite: made.first!, agent: 'ann', credential: ann, name: 'Ann' }),
    () => make('second'),
    () => store.members.join({ invite: made.second!, agent: 'bob', credential: bob }),
    () => make('token', 'bridge'),
    () => store.members.adopt(holder(), 'guest', 'Guest'),
    async () => {
      store.members.renamed('bob', 'default', 'Bob')
      store.refused(OWNER, 'default', 'a try')
      await settled()
    },
    async () => {
      const { secret } = await store.admin.rotate('ann', null, OWNER, NOW + 1_000)
      made.again = secret
    },
    () => store.members.join({ invite: made.again!, agent: 'ann', credential: spare }),
    () => make('open'),
    () => store.admin.revoke(made['open.id']!, null, OWNER),
    () => store.admin.revoke('bob', null, OWNER),
    () => store.admin.revoke(made['token.id']!, null, OWNER),
  ] as const
}

it('[OPS-19] whichever write fails: what is in memory is what is on disk, and the same request again is done', async () => {
  const secrets = new Set([ann, bob, spare])
  for (let refuses = 1; ; refuses++) {
    const disk = new Disk()
    disk.refuses = refuses
    const store = await open(disk)
    const ended: string[] = []
    store.onEnded = (agent) => ended.push(agent)
    let failures = 0
    const check = async (what: string) => {
      const list = [...secrets]
      expect(await seen(store, list), what).toEqual(await seen(await open(disk), list))
    }
    for (const [i, step] of life(store, secrets).entries()) {
      const before = ended.length
      await Promise.resolve(step()).catch(async (error: Error) => {
        expect(error.message).toBe('no space left on device')
        failures++
        expect(ended, 'nobody is cut off by what was refused').toHaveLength(before)
        await check(`write ${refuses} failed, step ${i}`)
        await step()
      })
      await check(`write ${refuses}, after step ${i}`)
    }
    expect(ended).toEqual(['ann', 'bob', 'guest'])
    if (disk.writes < refuses) {
      expect(refuses).toBeGreaterThan(12)
      return
    }
    // Notes and names are stored by and by: nobody waits for them.
    expect(failures).toBeLessThanOrEqual(1)
  }
}, 60_000)

it('[OPS-19] of several at once by an invite for one, one joins, also where a write fails', async () => {
  for (const refuses of [Number.POSITIVE_INFINITY, 2, 3]) {
    const disk = new Disk()
    disk.refuses = refuses
    const store = await open(disk)
    const wanted = { workspace: null, role: 'write', uses: 1, expiresAt: null } as const
    const { secret } = await store.admin.invite(wanted, OWNER)
    const joins = ['a', 'b', 'c'].map((agent) => store.members.join({ invite: secret, agent }))
    const done = await Promise.allSettled(joins)
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(store.members.list(null)).toHaveLength(1)
    expect(store.members.list(null)).toEqual((await open(disk)).members.list(null))
  }
})

it('[OPS-19] a write that failed and is on disk all the same is known once the store works again', async () => {
  const disk = new Disk()
  const store = await open(disk)
  const put = disk.put
  disk.put = async (ops) => {
    await put(ops)
    throw new Error('the disk did not say')
  }
  const wanted = { workspace: null, role: 'write', uses: 1, expiresAt: null } as const
  await expect(store.admin.invite(wanted, OWNER)).rejects.toThrow('did not say')
  expect(store.admin.invites(null)).toEqual([])
  await store.reload()
  expect(store.admin.invites(null)).toHaveLength(1)
})

it('[OPS-19] the log says that it failed before who waits is told, whatever was to be stored', async () => {
  const log = await LevelUpdateLog.open(tempDir('log'), () => NOW)
  const bad = { type: 'put', key: 'x' } as unknown as Op
  const told: string[] = []
  log.onFailed = () => told.push('failed')
  const versions = (content: unknown) =>
    log.versions.keep('w', [
      {
        ...{ of: 'f', head: new Uint8Array(1), drop: [] },
        versions: [{ version: 1, about: new Uint8Array(1), content: content as Uint8Array }],
      },
    ])
  const refused = (work: Promise<unknown>) => work.catch(() => void told.push('refused'))
  await refused(log.facts.put([bad, bad]))
  await refused(versions(new Uint8Array(1)))
  expect(told).toEqual(['failed', 'refused', 'refused'])
  await log.recover()
  await refused(versions(undefined))
  expect(told.slice(3)).toEqual(['failed', 'refused'])
  await log.close()
})
