// What a frame of the terminal UI costs, in milliseconds, in a workspace that is as large as it gets:
//   node scripts/run-ts.mjs bench/tui-views.ts

import type { AgentId, BroadcastId } from '../protocol/ids.ts'
import { held } from '../test/support/tui/attached.ts'
import { LARGE, makeWorld } from '../test/support/tui/world.ts'
import { onPress } from '../tui/control/control.ts'
import type { Steps } from '../tui/control/effect.ts'
import type { UiFrame } from '../tui/model/frame.ts'
import { initialState, reduce, type View } from '../tui/model/state.ts'
import { Store } from '../tui/model/store.ts'
import { screenRows } from '../tui/views/screen.ts'
import type { BroadcastEntry } from '../workspace/document/schema.ts'
import { addNote } from '../workspace/tasks/tasks.ts'

const NOW = Date.UTC(2026, 10, 25, 12, 0, 0)
/** Broadcasts in the feed besides the tasks' entries. */
const SAID = 80_000
const TIMES = 60

const world = makeWorld(LARGE, NOW)
const attached = held(world)
const store = new Store(attached, () => NOW)

/** As a page of the server's log has them. */
const said = (from: number, count: number, at: number): BroadcastEntry[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `m-x${String(from + i).padStart(11, '0')}` as BroadcastId,
    from: world.agents[i % world.agents.length] as AgentId,
    ...{ topic: i % 9 === 0 ? 'release' : 'general', tags: [], at: at + i },
    content: `entry ${from + i}: the parser is fixed, see src/server/file-${i % 900}.md`,
  }))

const nextSnapshot = (change: () => void): Promise<void> =>
  new Promise((resolve) => {
    const end = store.subscribe(() => {
      end()
      resolve()
    })
    change()
  })

await nextSnapshot(() => store.addSaid(said(0, SAID, NOW - 86_400_000)))
const { agents, tasks, files, feed } = store.snapshot
console.log(
  `${agents.length} agents, ${tasks.length} tasks, ${feed.length} entries, ${files.length} files; 200×60`,
)

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >> 1]!

/** `cpu`: what all of it took together, in milliseconds; on a busy machine only that can be compared. */
const say = (what: string, times: number[], cpu?: number): void => {
  const worst = Math.max(...times)
  const each = cpu === undefined ? '' : `; CPU ${(cpu / times.length).toFixed(2)} ms each`
  const wall = `${median(times).toFixed(2)} ms, at most ${worst.toFixed(2)} ms`
  console.log(`${what.padEnd(44)} ${wall}${each}`)
}

const cpuSince = (begin: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(begin)
  return (user + system) / 1_000
}

const lookAt = (view: View, filter: string): UiFrame => {
  const state = reduce(initialState(NOW), { type: 'view', view })
  const filtered = reduce(state, { type: 'filter', text: filter })
  const size = { columns: 200, rows: 60, plain: false }
  return { snapshot: store.snapshot, state: filtered, reads: new Map(), words: new Map(), ...size }
}

const apply = (look: UiFrame, steps: Steps): UiFrame => {
  let { state } = look
  for (const step of steps) if (step.type === 'event') state = reduce(state, step.event)
  return { ...look, state }
}

const VIEWS = ['agents', 'tasks', 'feed', 'files'] as const
const FILTERS = ['', 'parser']

let notes = 0
for (const view of VIEWS) {
  for (const filter of FILTERS) {
    const title = `${view}${filter === '' ? '' : `, filter "${filter}"`}`
    let look = lookAt(view, filter)
    const first = performance.now()
    screenRows(look)
    say(`${title}: first frame`, [performance.now() - first])
    const moved: number[] = []
    const begin = process.cpuUsage()
    for (let i = 0; i < TIMES; i++) {
      const start = performance.now()
      look = apply(look, onPress(look, { name: i % 2 === 0 ? 'pagedown' : 'up', text: '' }))
      screenRows(look)
      moved.push(performance.now() - start)
    }
    say(`${title}: a key`, moved, cpuSince(begin))
    const changed: number[] = []
    for (let i = 0; i < TIMES / 4; i++) {
      await nextSnapshot(() => {
        addNote(world.doc, world.tasks[i]!, world.agents[0]!, 'a note', NOW + 1_000 * ++notes)
        store.addSaid(said(SAID + notes, 1, NOW + 1_000 * notes))
      })
      const start = performance.now()
      look = { ...look, snapshot: store.snapshot }
      screenRows(look)
      changed.push(performance.now() - start)
    }
    say(`${title}: another snapshot`, changed)
  }
}

const taken: number[] = []
for (let i = 0; i < TIMES / 2; i++) {
  const busy = performance.eventLoopUtilization()
  await nextSnapshot(() => {
    addNote(world.doc, world.tasks[i]!, world.agents[0]!, 'more', NOW + 1_000 * ++notes)
    store.addSaid(said(SAID + notes, 1, NOW + 1_000 * notes))
  })
  taken.push(performance.eventLoopUtilization(busy).active)
}
say('store: a task and an entry more', taken)
store.close()
