import type { AttributionMap } from '../../../sync-server/storage/update-log.ts'
import { type Oracle, Wrong } from './oracle.ts'
import type { Chance } from './writers.ts'

interface Told {
  map: AttributionMap
  owners: ReadonlyMap<number, string>
}

/** Puts one mistake into a correct attribution; null: there is no place for it. */
type Plant = (told: Told, oracle: Oracle, by: Chance) => Told | null

const STRANGER = 'a-stranger'

const one = <T>(list: readonly T[], by: Chance): T | undefined => list[by.below(list.length)]

/** The map with another value under a key. */
const having = <K, V>(map: ReadonlyMap<K, V>, key: K, value: V): Map<K, V> =>
  new Map(map).set(key, value)

/** The runs with others in the place of one; no others: it is lost. */
const inPlaceOf = <R>(runs: readonly R[], at: number, ...others: R[]): R[] => [
  ...runs.slice(0, at),
  ...others,
  ...runs.slice(at + 1),
]

const changedInsert =
  (change: (run: InsertRun) => InsertRun[]): Plant =>
  ({ map, owners }, oracle, by) => {
    const client = one(
      oracle.followed.filter((id) => map.inserts.has(id)),
      by,
    )
    if (client === undefined) return null
    const runs = map.inserts.get(client)!
    const at = by.below(runs.length)
    const changed = inPlaceOf(runs, at, ...change(runs[at]!))
    return { map: { ...map, inserts: having(map.inserts, client, changed) }, owners }
  }

/** `change` gets the agents that did not delete the run's first operation. */
const changedDelete =
  (change: (run: DeleteRun, others: string[]) => DeleteRun[] | null): Plant =>
  ({ map, owners }, oracle, by) => {
    const client = one([...map.deletes.keys()], by)
    const runs = client === undefined ? [] : map.deletes.get(client)!
    const at = by.below(runs.length)
    const run = runs[at]
    const noted = run === undefined ? null : oracle.deletersOf(client!, run.clock)
    if (run === undefined || noted === null) return null
    const others = oracle.names.filter((name) => !noted.includes(name) && name !== UNSEEN)
    const changed = change(run, others)
    if (changed === null) return null
    const deletes = having(map.deletes, client!, inPlaceOf(runs, at, ...changed))
    return { map: { ...map, deletes }, owners }
  }

type InsertRun = NonNullable<ReturnType<AttributionMap['inserts']['get']>>[number]
type DeleteRun = NonNullable<ReturnType<AttributionMap['deletes']['get']>>[number]

/** May delete while nobody notes it. */
const UNSEEN = 'over-http'

/** Mistakes that a server could make, each by its name. */
export const PLANTS: readonly { name: string; plant: Plant }[] = [
  {
    name: 'another agent owns a client id',
    plant: ({ map, owners }, oracle, by) => {
      const client = one(
        oracle.followed.filter((id) => owners.has(id) && map.inserts.has(id)),
        by,
      )
      return client === undefined ? null : { map, owners: having(owners, client, STRANGER) }
    },
  },
  {
    name: 'an insertion is for another task',
    plant: changedInsert((run) => [{ ...run, task: 't-another' }]),
  },
  {
    name: 'an insertion is via somebody',
    plant: changedInsert((run) => [{ ...run, via: STRANGER }]),
  },
  { name: 'an insertion is lost', plant: changedInsert(() => []) },
  { name: 'an insertion is noted twice', plant: changedInsert((run) => [run, run]) },
  {
    name: 'an insertion is one operation short',
    plant: changedInsert((run) => [{ ...run, length: run.length - 1 }]),
  },
  {
    name: 'another agent deleted',
    plant: changedDelete((run, [other]) => (other === undefined ? null : [{ ...run, by: other }])),
  },
  { name: 'nobody deleted', plant: changedDelete((run) => [{ ...run, by: null }]) },
  { name: 'a deletion is lost', plant: changedDelete(() => []) },
  {
    name: 'a second deletion is lost',
    plant: ({ map, owners }, _oracle, by) => {
      const client = one([...map.again.keys()], by)
      const runs = client === undefined ? [] : map.again.get(client)!
      const at = by.below(runs.length)
      if (!runs[at]?.by?.startsWith('socket')) return null
      // The agent may have said so more than once.
      const rest = runs.filter(({ by: who }) => who !== runs[at]!.by)
      return { map: { ...map, again: having(map.again, client!, rest) }, owners }
    },
  },
  {
    name: 'a second deletion is another’s',
    plant: ({ map, owners }, oracle, by) => {
      const client = one([...map.again.keys()], by)
      const runs = client === undefined ? [] : map.again.get(client)!
      const at = by.below(runs.length)
      const noted = runs[at] === undefined ? null : oracle.deletersOf(client!, runs[at].clock)
      const other = oracle.names.find((name) => noted !== null && !noted.includes(name))
      if (other === undefined) return null
      const changed = inPlaceOf(runs, at, { ...runs[at]!, by: other })
      return { map: { ...map, again: having(map.again, client!, changed) }, owners }
    },
  },
  { name: 'a deletion is noted twice', plant: changedDelete((run) => [run, run]) },
]

/** Attempts to find a place for a mistake (count). */
const ATTEMPTS = 50

/** Throws where the oracle does not find a planted mistake. Returns the mistakes planted: 1 or 0. */
export const mustFind = (
  { name, plant }: (typeof PLANTS)[number],
  told: Told,
  oracle: Oracle,
  by: Chance,
  check: (map: AttributionMap, owners: Told['owners']) => unknown,
): number => {
  for (let left = ATTEMPTS; left > 0; left--) {
    const planted = plant(told, oracle, by)
    if (planted === null) continue
    try {
      check(planted.map, planted.owners)
    } catch (error) {
      if (error instanceof Wrong) return 1
      throw error
    }
    throw new Error(`the oracle does not find that ${name}`)
  }
  return 0
}
