import { afterEach, expect, it } from 'vitest'
import { Awareness, applyAwarenessUpdate, encodeAwarenessUpdate } from 'y-protocols/awareness'
import * as Y from 'yjs'
import { UnreadStates } from '../../client/session/unread-states.ts'

const opened: Awareness[] = []
afterEach(() => {
  for (const awareness of opened.splice(0)) awareness.destroy()
})

const open = (): Awareness => {
  const awareness = new Awareness(new Y.Doc())
  awareness.setLocalState(null)
  opened.push(awareness)
  return awareness
}

/** Whom an awareness shows, by `name`, besides itself. */
const shown = (awareness: Awareness): unknown[] =>
  [...awareness.getStates()]
    .filter(([client]) => client !== awareness.clientID)
    .map(([, { name }]) => name)
    .sort()

const setUp = () => {
  const [eager, lazy] = [open(), open()]
  const unread = new UnreadStates(lazy)
  let now = 0
  return {
    ...{ eager, lazy, unread },
    wait: (ms: number) => {
      now += ms
    },
    come: (from: Awareness, clients = [from.clientID]) => {
      const update = encodeAwarenessUpdate(from, clients)
      applyAwarenessUpdate(eager, update, 'test')
      return unread.take(update, now)
    },
    read: () => {
      const update = unread.read(now)
      if (update !== null) applyAwarenessUpdate(lazy, update, 'test')
      return shown(lazy)
    },
  }
}

it('[PRESENCE-12] states that are read late are those that were read at once', () => {
  const { eager, come, read } = setUp()
  const others = Array.from({ length: 20 }, open)
  for (let round = 0; round < 30; round++) {
    const other = others[(round * 7) % others.length]!
    other.setLocalState(round % 4 === 3 ? null : { name: `“${round}” é` })
    come(other)
    if (round % 5 === 0) expect(read()).toEqual(shown(eager))
  }
  expect(read()).toEqual(shown(eager))
  expect(read().length).toBeGreaterThan(5)
})

it('[PRESENCE-12] an older state does not come back, and who went before anybody looked never shows', () => {
  const { come, read, unread } = setUp()
  const other = open()
  other.setLocalState({ name: 'A' })
  const old = encodeAwarenessUpdate(other, [other.clientID])
  other.setLocalState({ name: 'B' })
  come(other)
  unread.take(old, 0)
  expect(read()).toEqual(['B'])
  other.setLocalState(null)
  come(other)
  expect(read()).toEqual([])

  const brief = open()
  brief.setLocalState({ name: 'C' })
  come(brief)
  brief.setLocalState(null)
  come(brief)
  expect(read()).toEqual([])
})

it('[PRESENCE-12] the own state is handed out at once, alone', () => {
  const { come, lazy, read } = setUp()
  const other = open()
  other.setLocalState({ name: 'A' })
  applyAwarenessUpdate(other, encodeAwarenessUpdate(lazy, [lazy.clientID]), 'test')
  lazy.setLocalState({ name: 'me' })
  applyAwarenessUpdate(other, encodeAwarenessUpdate(lazy, [lazy.clientID]), 'test')
  const own = come(other, [other.clientID, lazy.clientID])
  expect(own).toEqual(encodeAwarenessUpdate(lazy, [lazy.clientID]))
  expect(shown(lazy)).toEqual([])
  expect(read()).toEqual(['A'])
})

it('[PRESENCE-12] a state that was not renewed, and one of an ended connection, is gone', () => {
  const { come, read, wait, unread } = setUp()
  const [stale, fresh] = [open(), open()]
  stale.setLocalState({ name: 'stale' })
  come(stale)
  wait(29_000)
  fresh.setLocalState({ name: 'fresh' })
  come(fresh)
  wait(1_000)
  expect(read()).toEqual(['fresh'])
  come(stale)
  unread.clear()
  expect(read()).toEqual(['fresh'])
})
