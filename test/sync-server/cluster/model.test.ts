import { describe, expect, it } from 'vitest'
import { explore, RULES, type Rules } from '../../support/cluster/ownership-model.ts'

/** The design, but for these rules. */
const without = (...taken: (keyof Rules)[]): Rules => ({
  ...RULES,
  ...Object.fromEntries(taken.map((rule) => [rule, false])),
})

describe('every interleaving of two nodes on one workspace', () => {
  it('[NODE-8] what was acknowledged stays, nobody shows what the log has not, and the owner is never behind', () => {
    const { broken, states } = explore(RULES)
    expect(broken).toBe(null)
    expect(states).toBeGreaterThan(5_000)
  })

  it.each([
    ['the fence in the statement', 'fence'],
    ['the lock of the fence', 'lock'],
    ['compare-and-set in the claim', 'compares'],
    ['reading after the claim', 'readsAfterClaim'],
    ['a new epoch after an unknown outcome', 'renews'],
    ['forgetting all that was owned, with the epoch', 'forgets'],
  ] as const)('[NODE-8] %s is needed', (_, rule) => {
    expect(explore(without(rule)).broken).not.toBe(null)
  })

  it('[NODE-8] either the fence or the sequence number keeps what was acknowledged; without both it is lost', () => {
    const lost = /is not in the log/
    expect(explore(without('fence'), { onlyLost: true }).broken).toBe(null)
    expect(explore(without('newKeys')).broken).toBe(null)
    expect(explore(without('fence', 'newKeys'), { onlyLost: true }).broken?.why).toMatch(lost)
    expect(explore(without('lock', 'newKeys'), { onlyLost: true }).broken?.why).toMatch(lost)
  })

  it('[NODE-8] says how it comes about', () => {
    const { broken } = explore(without('fence', 'newKeys'), { onlyLost: true })
    expect(broken?.path.length).toBeGreaterThan(5)
    expect(broken?.path.join(' → ')).toContain('fences')
  })
})
