import * as Y from 'yjs'
import { seeded } from '../../bench/stats.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { until } from './client.ts'
import { type DiskWriter, diskWriter } from './disk-writer.ts'
import { send, sync } from './workspace/replicas.ts'
import {
  BASE,
  baseWord,
  editCopy,
  editor,
  KEY,
  pick,
  putter,
  typist,
  type Writer,
  word,
} from './writers.ts'

/**
 * Many writers change one file at once and sync with each other at random: what the merge is good for is counted in
 * markers.
 */

export type Start = 'text' | 'empty' | 'no line end' | 'CRLF' | '1 MB line'
export const STARTS: readonly Start[] = ['text', 'empty', 'no line end', 'CRLF', '1 MB line']

const startText = (start: Start, random: () => number): string => {
  const lines = Array.from(
    { length: 30 },
    (_, i) => `${BASE} ${i} ${baseWord(random)} ${baseWord(random)}`,
  )
  if (start === 'empty') return ''
  if (start === 'CRLF') return lines.map((line) => `${line}\r\n`).join('')
  if (start === 'no line end') return lines.join('\n')
  if (start === '1 MB line') lines[15] = `${BASE} ${'x漢'.repeat(262_144)}`
  return lines.map((line) => `${line}\n`).join('')
}

/** Whole contents, the last one wins: what most shared folders do with the same script. */
class LastWriterWins {
  #newest = { at: 0, by: 0, content: '' }
  readonly #seen: { at: number; by: number; content: string }[]
  constructor(content: string, writers: number) {
    this.#newest.content = content
    this.#seen = Array.from({ length: writers }, () => this.#newest)
  }
  sync(writer: number): void {
    this.#seen[writer] = this.#newest
  }
  write(writer: number, at: number, random: () => number, marker: string): void {
    const content = editCopy(this.#seen[writer]!.content, random, marker)
    this.#seen[writer] = { at, by: writer, content }
    this.#newest = this.#seen[writer]!
  }
  get content(): string {
    return this.#newest.content
  }
}

export interface Outcome {
  markers: number
  lost: number
  doubled: number
  /** Markers that are there but share their line with what somebody else wrote. */
  joined: number
  /** U+FFFD or half a character in it. */
  broken: boolean
  equal: boolean
  /** Markers that the same script loses where the last writer wins. */
  lostByLastWriter: number
}

export interface Size {
  /** Writers of all kinds, each with a replica of its own (count). */
  writers: number
  /** Of those, writers to a folder that the mirror program keeps (count). */
  mirrors?: number
  /** Steps of each, on average (count). */
  steps: number
}

/** What a folder, its watcher and the document need at most to become the same (ms). */
const QUIET_MS = 60_000

/**
 * One run, in an order and with syncs that the seed decides. With mirrors the disk and the clock have a say in it, too:
 * then a seed gives a run much like the one before, not the same.
 */
export const runWriters = async (
  seed: number,
  start: Start,
  { writers, mirrors = 0, steps }: Size,
): Promise<Outcome> => {
  const random = seeded(seed)
  const content = startText(start, random)
  const kinds = [putter, editor, typist]
  let count = 0
  const first = new Y.Doc()
  first.clientID = 1 + seed * 100
  putFile(first, { key: KEY, content, base: null, by: 'a-0' as AgentId, now: 0 })
  const all: (Writer | DiskWriter)[] = []
  const fetch = (to: number): void => {
    const from = pick(random, writers)
    if (from !== to) send(all[from]!.doc, all[to]!.doc)
  }
  for (let i = 0; i < writers; i++) {
    const context = {
      by: `a-${i}` as AgentId,
      random,
      marker: () => `⟦${i}-${count++}⟧ ${word(random)}`,
      fetch: () => fetch(i),
    }
    const clientID = 1 + i + seed * 100
    if (i >= writers - mirrors) {
      all.push(await diskWriter(context, clientID, first))
      continue
    }
    const doc = i === 0 ? first : new Y.Doc()
    doc.clientID = clientID
    if (doc !== first) send(first, doc)
    all.push(kinds[i % kinds.length]!({ ...context, doc }))
  }
  const docs = all.map(({ doc }) => doc)
  const disks = all.filter((writer) => 'close' in writer)

  const last = new LastWriterWins(content, writers)
  const expected: string[] = []
  const told: string[] = []
  for (let n = 0; n < steps * writers; n++) {
    const i = pick(random, writers)
    const done = await all[i]!.step()
    expected.push(...done)
    for (const line of done) {
      last.write(i, n, random, line)
      told.push(line)
    }
    if (random() < 0.3) {
      const [from, to] = [pick(random, writers), pick(random, writers)]
      if (from !== to) send(docs[from]!, docs[to]!)
      last.sync(to)
    }
  }
  for (const writer of all) while (writer.isTyping?.()) expected.push(...(await writer.step()))
  sync(...docs)
  if (disks.length > 0) {
    await until(
      'folders and replicas are the same, with every line',
      () => {
        sync(...docs)
        const text = readFile(docs[0]!, KEY).content
        return (
          disks.every((disk) => disk.text() === text) &&
          expected.every((line) => text.includes(line))
        )
      },
      QUIET_MS,
    ).catch(() => {}) // what is missing is counted below
  }
  const onDisk = disks.map((disk) => disk.text())
  for (const disk of disks) await disk.settle()
  sync(...docs)

  const texts = [...docs.map((doc) => readFile(doc, KEY).content), ...onDisk]
  for (const disk of disks) await disk.close()
  const times = expected.map((line) => texts[0]!.split(line).length - 1)
  const lines = new Set(texts[0]!.split(/\r?\n/))
  const kept = new Set(last.content.split(/\r?\n/))
  return {
    markers: expected.length,
    lost: times.filter((count) => count === 0).length,
    doubled: times.filter((count) => count > 1).length,
    joined: expected.filter((line) => !lines.has(line)).length,
    broken: /\ufffd|\p{Surrogate}/u.test(texts[0]!),
    equal: texts.every((text) => text === texts[0]),
    lostByLastWriter: told.filter((line) => !kept.has(line)).length,
  }
}
