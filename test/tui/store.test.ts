import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../protocol/ids.ts'
import { EVERY_MS, Store } from '../../tui/model/store.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { addNote, addTask } from '../../workspace/tasks/tasks.ts'
import { held } from '../support/tui/attached.ts'
import { makeWorld, SMALL } from '../support/tui/world.ts'
import { settle, worldAt } from '../support/workspace/replicas.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)

beforeEach(() => {
  vi.useFakeTimers({ now: NOW })
})
afterEach(() => {
  vi.useRealTimers()
})

const open = () => {
  const world = makeWorld(SMALL, NOW)
  const attached = held(world)
  const store = new Store(attached, () => Date.now())
  let snapshots = 0
  store.subscribe(() => snapshots++)
  return { ...world, attached, store, count: () => snapshots }
}

describe('the store', () => {
  it('[TUI-14] takes a snapshot twelve times a second at most, however many updates come, and the last one is in it', async () => {
    const { doc, tasks, agents, store, count, attached } = open()
    await vi.advanceTimersByTimeAsync(200)
    const before = count()
    for (let ms = 0; ms < 1_000; ms += 5) {
      addNote(doc, tasks[0]!, agents[0]!, `note ${ms}`, NOW + ms)
      attached.set({})
      await vi.advanceTimersByTimeAsync(5)
    }
    expect(count() - before).toBeLessThanOrEqual(Math.ceil(1_000 / EVERY_MS))
    expect(count() - before).toBeGreaterThan(8)
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    expect(store.snapshot.taskById.get(tasks[0]!)?.notes.at(-1)?.text).toBe('note 995')
    const quiet = count()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(count()).toBe(quiet)
    store.close()
    addNote(doc, tasks[0]!, agents[0]!, 'late', NOW)
    expect(vi.getTimerCount()).toBe(0)
  })

  it('[TUI-14] reads again only what changed; the rest are the same objects', async () => {
    const { doc, tasks, agents, store, attached } = open()
    const step = async (change: () => void, ms = EVERY_MS) => {
      const old = store.snapshot
      change()
      await vi.advanceTimersByTimeAsync(ms)
      return [old, store.snapshot] as const
    }
    await step(() => {}, 1_500)
    const [a, b] = await step(() => addNote(doc, tasks[3]!, agents[0]!, 'x', NOW))
    expect(b.tasks.filter((task, i) => task !== a.tasks[i]).map(({ task_id }) => task_id)).toEqual([
      tasks[3],
    ])
    expect([b.agents, b.files, b.names, b.unread]).toEqual([a.agents, a.files, a.names, a.unread])
    expect(b.agents).toBe(a.agents)
    expect(b.files).toBe(a.files)
    const key = a.files[2]!.info.file_key
    const [c, d] = await step(() => {
      putFile(doc, { key, content: 'new', base: null, by: agents[1]!, now: NOW, force: true })
    }, 1_200)
    expect(d.tasks).toBe(c.tasks)
    expect(d.agents).toBe(c.agents)
    expect(
      d.files.filter((line, i) => line !== c.files[i]).map(({ info }) => info.file_key),
    ).toEqual([key])
    const [e, f] = await step(() => attached.set({ unread: [] }))
    expect(f.tasks).toBe(e.tasks)
    expect(f.names).toBe(e.names)
    expect(f.feed).toBe(e.feed)
    store.close()
  })

  it('[TUI-14] what is kept is what a store opened now reads: tasks that come, are filed, move and go; files, agents', async () => {
    const { doc, agents, tasks, attached, store } = open()
    addTask(doc, {
      ...{ id: 't-new' as TaskId, from: agents[0]!, to: agents[1]!, context: null },
      ...{ description: 'new', priority: 'high', now: NOW },
    })
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    expect(store.snapshot.taskById.get('t-new')?.status).toBe('submitted')
    settle(doc, worldAt(NOW))
    for (let i = 0; i < 150; i++) {
      addTask(doc, {
        ...{ id: `t-many${i}` as TaskId, from: agents[0]!, to: agents[1]!, context: null },
        ...{ description: 'one of many', priority: 'low', now: NOW },
      })
    }
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    settle(doc, worldAt(NOW))
    await vi.advanceTimersByTimeAsync(EVERY_MS)
    doc.transact(() => {
      for (const bucket of doc.getMap<Y.Map<unknown>>('tasks').values()) {
        if (bucket.has(tasks[0]!)) bucket.delete(tasks[0]!)
      }
      const record = new Y.Map<unknown>([['registeredAt', NOW]])
      doc.getMap<Y.Map<unknown>>('agents').set('a-late', record)
      record.set('name', 'Late')
    })
    putFile(doc, { key: 'x/y.md', content: 'y', base: null, by: 'a-late' as AgentId, now: NOW })
    await vi.advanceTimersByTimeAsync(2_000)
    const anew = new Store(attached, () => Date.now())
    const sorted = (all: readonly { task_id: string }[]) =>
      all.toSorted((a, b) => (a.task_id < b.task_id ? -1 : 1))
    expect(sorted(store.snapshot.tasks)).toEqual(sorted(anew.snapshot.tasks))
    expect(store.snapshot.taskById.has(tasks[0]!)).toBe(false)
    expect(store.snapshot.historyOf(tasks[0]!)).toEqual([])
    expect(store.snapshot.files).toEqual(anew.snapshot.files)
    // Of who is connected the time goes on by itself.
    const places = ({ snapshot }: Store) =>
      snapshot.agents.map(({ agent: { last_heartbeat: _, ...agent }, ...rest }) => [agent, rest])
    expect(places(store)).toEqual(places(anew))
    expect(store.snapshot.names).toEqual(anew.snapshot.names)
    store.close()
    anew.close()
  })
})
