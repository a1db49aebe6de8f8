import { cpus } from 'node:os'
import * as Y from 'yjs'
import type { Credit } from '../lib/attribution/runs.ts'
import { deletedIn, stringIn } from '../lib/yjs/internals.ts'
import type { AgentId } from '../protocol/ids.ts'
import { blameOf, readText } from '../sync-server/history/attribution/blame.ts'
import { LevelUpdateLog } from '../sync-server/storage/level-update-log.ts'
import { seeded } from '../test/support/client.ts'
import { filesOf, initWorkspace } from '../workspace/document/schema.ts'
import { putFile } from '../workspace/files/put-file.ts'
import { tempDir } from './programs.ts'
import { type Findings, integer, milliseconds, spread } from './report.ts'
import { median, quantile } from './stats.ts'

/** The file (UTF-16 units), its edits, and those of one record (count). */
const UNITS = 1_000_000
const EDITS = 10_000
const PER_RECORD = 10
const AGENTS = 6
/** Blames that are measured (count). */
const ROUNDS = 21
/** Targets. */
const BLAME_MS = 50
const BYTES_PER_EDIT = 4
const KEY = 'big.md'

const AUTHORS = Array.from({ length: AGENTS }, (_, i) => `a-writer-${i}`)

/** A log with a file of UNITS characters and EDITS small edits of six agents, a third of them deletions. */
const edited = async (path: string) => {
  const random = seeded(25)
  const below = (most: number) => Math.floor(random() * most)
  let now = 1_700_000_000_000
  const log = await LevelUpdateLog.open(path, () => now)
  const doc = new Y.Doc()
  initWorkspace(doc, 'w', now)
  let updates: Uint8Array[] = []
  let credits: Credit[] = []
  let by = 0
  const deleted: { root: string; client: number; clock: number; text: string }[] = []
  doc.on('update', (update: Uint8Array) => {
    updates.push(update)
    credits.push({ by: AUTHORS[by]!, task: by % 2 === 0 ? `t-${by}` : null, via: null })
  })
  const line = `${'the quick brown fox jumps over the lazy dog '.repeat(2)}\n`
  const content = line.repeat(Math.ceil(UNITS / line.length))
  putFile(doc, { key: KEY, content, base: null, by: AUTHORS[0] as AgentId, now, force: true })
  const root = `file:${filesOf(doc).get(KEY)!.fileId}`
  doc.on('afterTransaction', (transaction: Y.Transaction) => {
    deletedIn(transaction, (item, from, end) => {
      const { client, clock } = item.id
      const text = stringIn(item)?.slice(from - clock, end - clock)
      if (text) deleted.push({ root, client, clock: from, text })
    })
  })
  const text = doc.getText(root)
  const owned = AUTHORS.map((owner, i) => ({ client: 1_000_000_000 + i, owner }))
  const write = async () => {
    const notes = deleted.splice(0)
    await log.append('w', updates, [], owned, [], { credits, deleted: notes })
    updates = []
    credits = []
  }
  await write()
  for (let edit = 0; edit < EDITS; edit++) {
    by = below(AGENTS)
    doc.clientID = owned[by]!.client
    const at = below(text.length - 10)
    if (random() < 0.33) text.delete(at, 1 + below(8))
    else text.insert(at, 'written here'.slice(0, 1 + below(12)))
    now += 200 + below(3_000)
    if (updates.length >= PER_RECORD) await write()
  }
  await write()
  return { log, doc }
}

/** Bytes of values under a prefix of keys, checksums included. */
const bytesUnder = async (log: LevelUpdateLog, prefix: string): Promise<number> => {
  let bytes = 0
  for await (const [key, value] of log.records()) if (key.startsWith(prefix)) bytes += value.length
  return bytes
}

export const authorship = async (write: (line: string) => void): Promise<Findings> => {
  const { log, doc } = await edited(tempDir())
  const { seq } = await log.load('w')
  await log.compact('w', seq, Y.encodeStateAsUpdate(doc))
  const runs = (await bytesUnder(log, 'm:w:i')) + (await bytesUnder(log, 'm:w:d'))
  const names = (await bytesUnder(log, 'm:w:n')) + (await bytesUnder(log, 'm:w:s'))
  const texts = await bytesUnder(log, 'm:w:t')
  const wall: number[] = []
  const cpu: number[] = []
  let ranges = 0
  for (let round = 0; round < ROUNDS; round++) {
    const [started, before] = [performance.now(), process.cpuUsage()]
    const state = readText(doc, KEY, false)
    const lines = { from: 1, to: Number.POSITIVE_INFINITY }
    ranges = (await blameOf(log, 'w', state, lines, false)).ranges.length
    wall.push(performance.now() - started)
    const { user, system } = process.cpuUsage(before)
    cpu.push((user + system) / 1_000)
  }
  await log.close()
  const perEdit = (runs + names) / EDITS
  write(`blame ${spread(wall, milliseconds)} ms, ${perEdit.toFixed(2)} bytes per edit`)
  return {
    title: 'Authors of files',
    method: `A file of ${integer(UNITS)} characters with ${integer(EDITS)} small edits by ${AGENTS} agents, a third of them deletions, three of the agents with a task. The log is folded into its checkpoint. A blame is all that the server does for one: read the text, the runs and owners from disk, and join the lines (${ROUNDS} times). ${cpus().length} cores.`,
    tables: [
      {
        caption: '**The authors of a file**',
        head: ['', 'median (lowest–highest)'],
        rows: [
          ['blame of the whole file, ms', spread(wall, milliseconds)],
          ['… CPU time, ms', spread(cpu, milliseconds)],
          ['ranges in the answer', integer(ranges)],
          ['runs on disk, bytes per edit', (runs / EDITS).toFixed(2)],
          ['names on disk, bytes', integer(names)],
          ['deleted texts on disk, bytes per edit', (texts / EDITS).toFixed(2)],
        ],
      },
    ],
    targets: [
      {
        claim: `blame of 1 MB with ${integer(EDITS)} edits ≤ ${BLAME_MS} ms`,
        measured: `${milliseconds(median(wall))} ms`,
        passed: median(wall) <= BLAME_MS,
      },
      {
        claim: `authors on disk ≤ ${BYTES_PER_EDIT} bytes per edit`,
        measured: perEdit.toFixed(2),
        passed: perEdit <= BYTES_PER_EDIT,
      },
    ],
    samples: { blameMs: wall, blameCpuMs: cpu, lowest: [quantile(wall, 0)] },
  }
}
