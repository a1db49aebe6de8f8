import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { Authors } from '../../../sync-server/auth/ownership/authors.ts'
import type { Principal } from '../../../sync-server/sync/principal.ts'
import { LiveDocument } from '../../../sync-server/sync/updates/document.ts'
import { encode, type Outcome, runArrivals } from '../../support/auth/arrival-runs.ts'
import { type Member, member } from '../../support/auth/members.ts'
import { frame, liveDoc, runSeed } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let mallory: Member
beforeAll(async () => {
  server = await startHere()
  mallory = await member(server, 'a-mallory')
})
afterAll(() => server.stop())

const RUNS = 150

it('[AUTH-29] each operation stands where it was checked, however updates are cut, joined, repeated or built by hand', () => {
  const seed = runSeed('arrivals')
  const total: Outcome = { compared: 0, collected: 0, refused: 0, broken: 0 }
  for (let i = 0; i < RUNS; i++) {
    const outcome = runArrivals(seed + i)
    for (const name of Object.keys(total) as (keyof Outcome)[]) total[name] += outcome[name]
  }
  expect(total.compared).toBeGreaterThan(20 * RUNS)
  expect(total.refused).toBeGreaterThan(RUNS)
})

type At = Partial<{ origin: Y.ID; parent: string | Y.ID; key: string }>
const id = Y.createID
const item = ({ client, clock }: Y.ID, content: Y.Item['content'], at: At): Y.Item => {
  const { origin = null, parent = null, key = null } = at
  return new Y.Item(id(client, clock), null, origin, null, null, parent as never, key, content)
}
let said = 0
const says = (...names: string[]) =>
  new Y.ContentAny(
    names.map((from) => {
      const id = `m-${++said}`
      return { id, from, topic: 'general', tags: [], content: 'x', at: 1 }
    }),
  )

/** What is known of the first update when the second comes. */
const BUILT: Record<string, [known: Uint8Array | null, Uint8Array, code?: number]> = {
  'words that go on with one’s own broadcast and say that they are in a text': [
    encode([[71, [item(id(71, 0), says('a-mallory'), { parent: 'broadcasts' })]]]),
    encode([[71, [item(id(71, 0), says('a-mallory', 'a-victim'), { parent: 'file:x' })]]]),
  ],
  'operations twice, of which Yjs would take the last': [
    null,
    encode([
      [72, [item(id(72, 0), says('a-mallory'), { parent: 'file:x' })]],
      [72, [item(id(72, 0), says('a-mallory'), { parent: 'broadcasts' })]],
      [73, [item(id(73, 0), says('a-victim'), { origin: id(72, 0) })]],
    ]),
  ],
  'an operation beside itself': [
    null,
    encode([[74, [item(id(74, 0), says('a-mallory'), { origin: id(74, 0) })]]]),
  ],
  'two operations beside each other': [
    null,
    encode([
      [75, [item(id(75, 0), says('a-mallory'), { origin: id(76, 0) })]],
      [76, [item(id(76, 0), says('a-mallory'), { origin: id(75, 0) })]],
    ]),
  ],
  'a key with several values': [
    encode([[77, [item(id(77, 0), new Y.ContentType(new Y.Map() as never), { parent: 'own' })]]]),
    encode([[77, [item(id(77, 1), says('x', 'y'), { parent: id(77, 0), key: 'k' })]]]),
  ],
  'words that go on with what was collected': [
    encode([[78, [new Y.GC(id(78, 0), 1)]]]),
    encode([[78, [item(id(78, 0), says('x', 'y'), { parent: 'file:x' })]]]),
    4409,
  ],
}

it.each(Object.entries(BUILT))(
  '[AUTH-29] [AUTH-55] refused: %s',
  async (_, [known, update, code = 4400]) => {
    const { client, doc } = await liveDoc(`${server.sync}/default`, new Y.Doc(), mallory.headers)
    if (known !== null) client.update(known)
    await client.barrier()
    const before = Y.encodeStateVector(doc)
    client.send(frame(0, 2, update))
    expect(await client.closed).toBe(code)
    const again = await liveDoc(`${server.sync}/default`, new Y.Doc(), mallory.headers)
    if (known === null) expect(Y.encodeStateVector(again.doc)).toEqual(before)
    expect(JSON.stringify(again.doc.getArray('broadcasts'))).not.toContain('victim')
    await again.client.close()
  },
)

it('[AUTH-10] [AUTH-52] another’s record is not deleted in the turn either in which it arrives', () => {
  const by = (agent: string): Principal => ({ kind: 'agent', agent, workspace: 'w', role: 'write' })
  const authors = new Authors(() => false)
  const live = new LiveDocument()
  authors.open(new Map())
  authors.adopt(live.doc, 1)
  const accept = (agent: string, update: Uint8Array) =>
    live.accept(update, (decoded, clocks) => authors.admit(by(agent), decoded, clocks, false))
  const victim = new Y.Doc()
  victim.getMap('agents').set('a-victim', new Y.Map([['name', 'V']]))
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(victim))
  let deletion = new Uint8Array()
  copy.once('update', (update: Uint8Array) => {
    deletion = new Uint8Array(update)
  })
  copy.getMap('agents').delete('a-victim')
  expect(accept('a-victim', Y.encodeStateAsUpdate(victim))).toBe('ready')
  expect(() => accept('a-mallory', deletion)).toThrow('another agent’s record')
  expect(accept('a-victim', deletion)).toBe('ready')
})
