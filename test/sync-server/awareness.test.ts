import { describe, expect, it } from 'vitest'
import { OWNER } from '../../sync-server/access/speaker.ts'
import { AwarenessStates } from '../../sync-server/awareness.ts'

const state = (client: number, clock: number, json: string) => ({ client, clock, json })
const create = () => {
  const seen: [string, string][] = []
  const states = new AwarenessStates((before, after) => seen.push([before, after]))
  return { states, seen }
}

describe('AwarenessStates', () => {
  it('[P1] keeps a state until its connection goes', () => {
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

  it('[P2] drops what a connection says of others: echoes, removals, forgeries', () => {
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

  it('[P3] a client that comes back on a new connection is seen again, at its old clock too', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.drop(1, 0)
    states.apply(2, OWNER, [state(10, 5, '"x"')], 0)
    expect(states.present()).toMatchObject([{ client: 10, clock: 7, json: '"x"' }])
  })

  it('[P3] … and takes its state over from a connection that is not known to be dead yet', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.apply(2, OWNER, [state(10, 6, '"y"')], 0)
    states.drop(1, 0)
    expect(states.present()).toMatchObject([{ json: '"y"' }])
  })

  it('[P2] ignores clocks that do not grow', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.apply(1, OWNER, [state(10, 5, '"y"')], 0)
    states.apply(1, OWNER, [state(10, 4, '"z"')], 0)
    expect(states.present()).toMatchObject([{ json: '"x"' }])
  })

  it('[P1] forgets the clocks of those long gone', () => {
    const { states } = create()
    states.apply(1, OWNER, [state(10, 5, '"x"')], 0)
    states.drop(1, 0)
    states.forgetOld(11 * 60_000)
    states.apply(2, OWNER, [state(10, 1, '"x"')], 0)
    expect(states.present()).toMatchObject([{ clock: 1 }])
  })
})
