import { describe, expect, it } from 'vitest'
import { AwarenessStates, type Ids } from '../../../sync-server/sync/awareness.ts'
import { OWNER } from '../../../sync-server/sync/principal.ts'

const state = (client: number, clock: number, json: string) => ({ client, clock, json })
const create = () => {
  const seen: [string, string][] = []
  const owners = new Map<number, string>()
  const reserved = new Map<number, string>()
  const ids: Ids = {
    holderOf: (client) => owners.get(client) ?? reserved.get(client),
    reserve: (client, agent) => {
      if (ids.holderOf(client) === undefined) reserved.set(client, agent)
      return ids.holderOf(client) === agent
    },
    release: (client) => void reserved.delete(client),
  }
  const states = new AwarenessStates(ids, (before, after) => seen.push([before, after]))
  return { states, seen, owners, reserved }
}
const by = (agent: string) =>
  ({ kind: 'agent', agent, workspace: 'default', role: 'write' }) as const
const shows = (agent: string) => JSON.stringify({ agent: { id: agent, name: agent } })

describe('AwarenessStates', () => {
  it('[PRESENCE-1] keeps a state until its connection goes', () => {
    const { states, seen } = create()
    states.apply(1, OWNER, [state(10, 1, '{"a":1}')], 0)
    expect(states.present()).toMatchObject([{ client: 10, clock: 1, json: '{"a":1}' }])
    states.takeChanged()
    states.drop(1, 0)
    expect(states.present()).toEqual([])
    expect(states.takeChanged()).toMatchObject([{ client: 10, clock: 2, json: 'null' }])
    expect(seen).toEqual([
      ['null', '{"a":1}'],
      ['{"a":1}', 'null'],
    ])
  })

  it('[PRESENCE-2] [PRESENCE-7] drops what a connection says of others: echoes, removals, forgeries', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 1, '"one"')], 0)
    states.apply(2, OWNER, [state(20, 1, '"two"')], 0)
    states.takeChanged()
    states.apply(2, OWNER, [state(10, 1, '"one"'), state(20, 1, '"two"')], 0)
    states.apply(2, OWNER, [state(10, 9, 'null')], 0)
    states.apply(2, OWNER, [state(10, 9, '"forged"')], 0)
    expect(states.takeChanged()).toEqual([])
    expect(states.present()).toHaveLength(2)
  })

  it('[PRESENCE-3] a client that comes back on a new connection is seen again, at its old clock too', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.drop(1, 0)
    states.apply(2, OWNER, [state(10, 5, '"x"')], 0)
    expect(states.present()).toMatchObject([{ client: 10, clock: 7, json: '"x"' }])
  })

  it('[PRESENCE-3] … and takes its state over from a connection that is not known to be dead yet', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.apply(2, OWNER, [state(10, 6, '"y"')], 0)
    states.drop(1, 0)
    expect(states.present()).toMatchObject([{ json: '"y"' }])
  })

  it('[PRESENCE-2] ignores clocks that do not grow', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.apply(1, OWNER, [state(10, 5, '"y"')], 0)
    states.apply(1, OWNER, [state(10, 4, '"z"')], 0)
    expect(states.present()).toMatchObject([{ json: '"x"' }])
  })

  it('[PRESENCE-5] a client id is reserved for whoever shows it, for as long, and no other', () => {
    const { states, reserved } = create()
    states.apply(1, by('a'), [state(10, 1, shows('a'))], 0)
    states.apply(2, by('b'), [state(20, 1, '{}')], 0)
    const echoes = Array.from({ length: 99 }, (_, i) => state(100 + i, 1, '{}'))
    states.apply(2, by('b'), [state(20, 2, '{}'), ...echoes], 0)
    for (const echo of echoes) states.apply(2, by('b'), [echo], 0)
    expect([...reserved]).toEqual([
      [10, 'a'],
      [20, 'b'],
    ])
    states.apply(2, by('b'), [state(20, 3, 'null')], 0)
    states.drop(1, 0)
    expect([...reserved]).toEqual([])
  })

  it('[PRESENCE-6] whoever shows itself under another’s client id hides nobody, before or after', () => {
    const { states, owners } = create()
    owners.set(10, 'ben')
    states.apply(1, by('mallory'), [state(10, 1_000_000, shows('mallory'))], 0)
    states.apply(2, by('ben'), [state(10, 1, shows('ben'))], 0)
    const present = () => states.present().map(({ client, json }) => [client === 10, json])
    expect(present()).toEqual([
      [false, shows('mallory')],
      [true, shows('ben')],
    ])
    // A state that shows no identity is another's echo.
    states.apply(3, by('mallory'), [state(10, 2, '{}')], 0)
    expect(present()).toHaveLength(2)
    states.apply(1, by('mallory'), [state(10, 1_000_001, '{"agent":{"id":"mallory"},"x":1}')], 0)
    states.drop(1, 0)
    expect(present()).toEqual([[true, shows('ben')]])
  })

  it('[PRESENCE-6] an agent whose client id somebody has taken is shown all the same, and comes and goes', () => {
    const { states } = create()
    states.apply(1, by('mallory'), [state(10, 2 ** 32, shows('mallory'))], 0)
    states.apply(2, by('ben'), [state(10, 1, shows('ben'))], 0)
    const present = () => states.present().map(({ json }) => json)
    expect(present()).toEqual([shows('mallory'), shows('ben')])
    states.apply(2, by('ben'), [state(10, 2, 'null')], 0)
    expect(present()).toEqual([shows('mallory')])
    states.apply(2, by('ben'), [state(10, 3, shows('ben'))], 0)
    states.apply(2, by('ben'), [state(10, 4, 'null')], 0)
    // As a link does that takes another id.
    states.apply(2, by('ben'), [state(11, 1, shows('ben'))], 0)
    expect(present()).toEqual([shows('mallory'), shows('ben')])
    states.drop(2, 0)
    expect(present()).toEqual([shows('mallory')])
  })

  it('[PRESENCE-6] a clock that leaps to where numbers end is refused', () => {
    const { states } = create()
    const leap = (clock: number) => () =>
      states.apply(1, by('mallory'), [state(10, clock, shows('mallory'))], 0)
    expect(leap(Number.MAX_SAFE_INTEGER)).toThrow('leaps')
    expect(leap(2 ** 32)).not.toThrow()
    expect(leap(2 ** 32 + 2 ** 21)).toThrow('leaps')
    expect(leap(2 ** 32 + 2 ** 19)).not.toThrow()
  })

  it('[PRESENCE-1] forgets the clocks of those long gone', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.drop(1, 0)
    states.forgetOld(11 * 60_000)
    states.apply(2, OWNER, [state(10, 1, '"x"')], 0)
    expect(states.present()).toMatchObject([{ clock: 1 }])
  })
})
