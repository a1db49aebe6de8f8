import * as Y from 'yjs'
import { liveDoc } from '../client.ts'

/** Between two edits of the honest client (milliseconds): it does not wait for answers, so a server that is held up is seen whole. */
const EVERY_MS = 5

/** How long each edit took, in milliseconds: until it was durable, and until the other client had it. */
export interface Times {
  barrier: number[]
  seen: number[]
  /** Edits that were durable, and that the other client had, before it was over (count). */
  inTime: { barrier: number; seen: number }
}

/** One client that edits, and one that reads along: what they wait is what an attack costs them. */
export const honestPair = async (url: string, headers?: { authorization?: string }) => {
  const writer = await liveDoc(url, new Y.Doc(), headers)
  const reader = await liveDoc(url, new Y.Doc(), headers)
  const text = writer.doc.getText('file:honest.txt')
  const there = reader.doc.getText('file:honest.txt')
  reader.client.subscribe()
  await reader.client.barrier()
  /** When the edit that made the text so long was sent. */
  const sent = new Map<number, number>()
  let seen: number[] = []
  let noticed = there.length
  there.observe(() => {
    const now = performance.now()
    for (; noticed < there.length; noticed++) {
      const at = sent.get(noticed + 1)
      if (at !== undefined) seen.push(now - at)
      sent.delete(noticed + 1)
    }
  })

  // Else it would be waited for for ever.
  const cut = Promise.race(
    [writer, reader].map(async ({ client }) => {
      throw new Error(`an honest client was closed: ${await client.closed}`)
    }),
  )
  cut.catch(() => {})

  const edit = async (): Promise<number> => {
    const start = performance.now()
    text.insert(text.length, 'x')
    sent.set(text.length, start)
    await Promise.race([writer.client.barrier(), cut])
    return performance.now() - start
  }

  return {
    /** Edits until `isOver`, and at least `least` times; resolves when all of it has been answered and seen. */
    async measure(isOver: () => boolean, least: number): Promise<Times> {
      seen = []
      const inTime = { barrier: 0, seen: 0 }
      const edits: Promise<number>[] = []
      const began = performance.now()
      while (!isOver() || edits.length < least) {
        const one = edit()
        edits.push(one)
        one.then(
          () => {
            if (isOver()) return
            inTime.barrier++
            inTime.seen = seen.length
          },
          () => {}, // so does `edits`
        )
        const wait = began + edits.length * EVERY_MS - performance.now()
        await new Promise((next) => setTimeout(next, Math.max(0, wait)))
      }
      const barrier = await Promise.all(edits)
      await Promise.race([reader.client.barrier(), cut])
      return { barrier, seen, inTime }
    },
    get length(): number {
      return text.length
    },
    close: () => Promise.all([writer.client.close(), reader.client.close()]),
  }
}

export type HonestPair = Awaited<ReturnType<typeof honestPair>>
