import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_AHEAD_MS } from '../../protocol/limits.ts'
import { EventFeed, type FeedEntry, MAX_FEED } from '../../tui/model/feed.ts'
import { isNarrower, parseFilter, passes } from '../../tui/model/filter.ts'
import { withAdded } from '../../tui/model/sorted.ts'
import { columnsOf } from '../../tui/views/board.ts'
import { feedItems } from '../../tui/views/feed.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { atDesk } from '../support/tui/at-desk.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, random, SMALL } from '../support/tui/world.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
const sit = (size = SMALL, rows = 20) =>
  atDesk(held(makeWorld(size, NOW)), () => NOW, { columns: 160, rows })

const entry = (id: string, at: number, text = id): FeedEntry => ({
  ...{ id, at, kind: 'broadcast', from: 'a-1' as AgentId, to: null, topic: 'general', text },
})

describe('lists', () => {
  it('[TUI-3] what is picked is on the screen, moving ends at the ends, and each view has its own', () => {
    const { desk, keys, rows, text } = sit({ agents: 60, tasks: 200, broadcasts: 50, files: 60 })
    for (const view of ['1', '2', '3', '4']) {
      keys(view)
      for (const key of [
        'G',
        'j',
        'pageup',
        'k',
        'g',
        'k',
        'pagedown',
        'j',
        'j',
        'pagedown',
        'G',
      ]) {
        keys(key)
        const picked = rows().filter((row) => row.some((segment) => segment.picked))
        expect(picked.length, `${view} ${key}`).toBe(view === '2' ? 2 : 1)
      }
    }
    const { selected } = desk.look.state
    keys('1', '2', '3', '4')
    expect(desk.look.state.selected).toEqual(selected)
    keys('2', 'g', 'l', 'l')
    expect(text()).toContain('Needs input')
    keys('4', 'g', 'h')
    expect(desk.look.state.folded.size).toBe(1)
    keys('l')
    expect(desk.look.state.folded.size).toBe(0)
    desk.close()
  })

  it('[TUI-3] what is picked stays picked while others come; the newest of the feed goes with what comes', () => {
    const { desk, keys } = sit()
    keys('3')
    const feed = desk.look.snapshot.feed
    const grown = [...feed, entry('m-z', NOW + 1)]
    const see = (entries: readonly FeedEntry[]) => {
      desk.look = { ...desk.look, snapshot: { ...desk.look.snapshot, feed: entries } }
    }
    see(grown)
    keys('k')
    expect(desk.look.state.selected.feed).toBe(feed.at(-1)!.id)
    see([entry('m-0', 1), ...grown, entry('m-zz', NOW + 2)])
    keys('k')
    expect(desk.look.state.selected.feed).toBe(feed.at(-2)!.id)
    keys('esc')
    expect(desk.look.state.selected.feed).toBe(null)
    desk.close()
  })

  it('[TUI-4] all words of a filter must be there, a key looks at one field, a dash says not', () => {
    const { desk, keys, type, lines } = sit()
    const one = desk.look.snapshot.tasks.find(
      ({ status, from_agent }) =>
        status === 'working' && /^\w+$/.test(desk.look.snapshot.names.get(from_agent)!),
    )!
    const name = desk.look.snapshot.names.get(one.from_agent)!
    const filter = `state:working from:${name.toUpperCase()}`
    keys('2', '/')
    type(filter)
    const found = columnsOf(desk.look).flatMap(({ tasks }) => tasks)
    const { tasks, names } = desk.look.snapshot
    const wanted = tasks.filter(
      ({ status, from_agent }) => status === 'working' && names.get(from_agent) === name,
    )
    expect(new Set(found)).toEqual(new Set(wanted))
    expect(wanted.length).toBeGreaterThan(0)
    keys('enter')
    expect(lines().at(-1)).toContain(`/${filter}`)
    keys('esc', '3', '/')
    type('topic:ci -parser')
    for (const { topic, text } of feedItems(desk.look)) {
      expect(topic).toBe('ci')
      expect(text).not.toContain('parser')
    }
    keys('esc')
    expect(desk.look.state.filters.feed).toBe('')
    const fields = (key: string) =>
      key === '' ? ['see http://x/ at 12:30', 'ann'] : key === 'from' ? ['ann'] : null
    const does = (filter: string) => passes(parseFilter(filter), fields)
    expect(['http://x', '12:30', 'FROM:an', '-bob', 'from:', '-from:bob'].every(does)).toBe(true)
    expect(['from:x', '-see', '-from:ann', 'topic:see'].some(does)).toBe(false)
    desk.close()
  })

  it('[TUI-4] [TUI-49] what comes in is filtered as all was, and typing on looks at what was found only', () => {
    const word = fc.constantFrom('a', 'ab', '-a', 'from:', 'from:l', 'x:a', '-', 'topic:g', 'b')
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', ' ', ':'), maxLength: 6 })
    fc.assert(
      fc.property(
        fc.array(word, { maxLength: 3 }),
        fc.array(letters),
        letters,
        (words, texts, more) => {
          const fields = (key: string, text: string) =>
            key === '' ? [text, 'lead'] : key === 'from' ? ['lead'] : null
          const filter = words.join(' ')
          const [wide, narrow] = [parseFilter(filter), parseFilter(filter + more)]
          if (!isNarrower(narrow, wide)) return
          for (const text of texts) {
            const of = (key: string) => fields(key, text)
            if (passes(narrow, of)) expect(passes(wide, of), `"${filter}" + "${more}"`).toBe(true)
          }
        },
      ),
    )
    const { desk } = sit()
    let look = desk.look
    const see = (feed: readonly FeedEntry[], filter: string) => {
      const filters = { ...look.state.filters, feed: filter }
      look = { ...look, snapshot: { ...look.snapshot, feed }, state: { ...look.state, filters } }
      return feedItems(look).map(({ id }) => id)
    }
    const one = [entry('1', 1, 'the parser'), entry('2', 2, 'other')]
    expect(see(one, 'pars')).toEqual(['1'])
    expect(see(one, 'parsers')).toEqual([])
    expect(see(one, 'parser')).toEqual(['1'])
    expect(see([...one, entry('3', 3, 'parser'), entry('4', 4)], 'parser')).toEqual(['1', '3'])
    expect(see([entry('0', 0, 'parser'), ...one], 'parser')).toEqual(['0', '1'])
    desk.close()
  })

  it('[TUI-17] the board, kept as tasks change, come and go, is the one made anew', () => {
    const seed = Date.now() % 1_000_000
    const pick = random(seed)
    const { desk } = sit({ ...SMALL, tasks: 60 })
    const { look } = desk
    const states = ['submitted', 'working', 'completed', 'failed', 'rejected'] as const
    let tasks = [...look.snapshot.tasks]
    for (let round = 0; round < 200; round++) {
      const i = pick(tasks.length)
      const way = pick(8)
      if (way === 0 && tasks.length > 5) tasks = tasks.filter((_, at) => at !== i)
      else {
        const changed = {
          ...tasks[i]!,
          status: states[pick(states.length)]!,
          updated_at: new Date(NOW + pick(1_000)).toISOString(),
          ...(way === 1 && { task_id: `t-${round}` }),
        } as Task
        tasks = way === 1 ? [...tasks, changed] : tasks.with(i, changed)
      }
      const filters = { ...look.state.filters, tasks: round % 50 < 40 ? '' : 'parser' }
      const seen = { ...look, state: { ...look.state, filters } }
      const kept = columnsOf({ ...seen, snapshot: { ...look.snapshot, tasks } })
      if (round % 5 !== 0) continue
      const places = kept.map((column) => column.tasks.map(({ task_id }) => task_id))
      const other = { ...look.state, filters: { ...filters, tasks: `${filters.tasks} ` } }
      const anew = columnsOf({ ...seen, state: other, snapshot: { ...look.snapshot, tasks } })
      expect(places, `seed ${seed}`).toEqual(
        anew.map((column) => column.tasks.map(({ task_id }) => task_id)),
      )
    }
    desk.close()
  })
})

describe('the feed', () => {
  it('[TUI-19] is in order of time, has each entry once, and no clock puts one last for ever', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.tuple(fc.nat(30), fc.nat(50)))), (batches) => {
        const feed = new EventFeed()
        for (const batch of batches)
          feed.add(
            batch.map(([id, at]) => entry(`${id}`, at)),
            100,
          )
        const times = feed.entries.map(({ at }) => at)
        expect(times).toEqual(times.toSorted((a, b) => a - b))
        const ids = feed.entries.map(({ id }) => id)
        expect(ids.length).toBe(new Set(batches.flat().map(([id]) => id)).size)
        expect(new Set(ids).size).toBe(ids.length)
      }),
    )
    expect(withAdded([1, 3, 5], [4, 0, 9, 3], (a, b) => a - b)).toEqual([0, 1, 3, 3, 4, 5, 9])
    const feed = new EventFeed()
    const strange = [NOW + 2 * MAX_AHEAD_MS, Number.POSITIVE_INFINITY, -1e300, Number.NaN]
    feed.add(
      strange.map((at, i) => entry(`${i}`, at)),
      NOW,
    )
    expect(feed.entries.map(({ id, at }) => [id, at])).toEqual([
      ['2', 0],
      ['0', NOW],
      ['1', NOW],
    ])
  })

  it('[TUI-19] has at most so many, the newest; what had to go does not come in again', () => {
    expect(MAX_FEED).toBeGreaterThanOrEqual(100_000)
    const feed = new EventFeed(100)
    for (let i = 0; i < 1_000; i++) {
      feed.add([entry(`${i}`, i)], NOW)
      expect(feed.entries.length).toBeLessThanOrEqual(100)
      expect(feed.entries.at(-1)?.id).toBe(`${i}`)
    }
    const before = feed.entries
    expect(feed.add([entry('5', 5), entry('new', 6)], NOW)).toBe(0)
    expect(feed.entries).toBe(before)
  })

  it('[TUI-19] shows direct messages to their two ends only', () => {
    const world = makeWorld({ ...SMALL, broadcasts: 30 }, NOW)
    const attached = held(world)
    const mine = atDesk(attached, () => NOW)
    const direct = mine.desk.look.snapshot.feed.filter(({ kind }) => kind === 'direct')
    expect(direct.length).toBeGreaterThan(0)
    const other = held(world)
    other.set({ me: world.agents[5]! })
    const theirs = atDesk(other, () => NOW)
    for (const { kind, from } of theirs.desk.look.snapshot.feed) {
      if (kind === 'direct') expect(from).toBe(world.agents[5])
    }
    mine.desk.close()
    theirs.desk.close()
  })
})
