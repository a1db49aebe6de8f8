import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Y from 'yjs'
import type { AgentId } from '../protocol/ids.ts'
import { putFile } from '../workspace/files/put-file.ts'
import { clawlink } from './contenders.ts'
import { type Home, newHome } from './homes.ts'
import { tempDir } from './programs.ts'
import { type Findings, integer, milliseconds, spread } from './report.ts'
import { median, seeded } from './stats.ts'

const ROUNDS = 9
/** Lines of 100 characters: 1 MB. */
const LINES = 10_486
const EDITS = 1_000
/** What the issue of shared files asks for (ms). */
const LIMIT = 500

const KEY = 'large.txt'

/** 1 MB of lines, none twice. */
const largeText = (random: () => number): string[] =>
  Array.from({ length: LINES }, (_, i) => {
    let line = `${i} `
    while (line.length < 99) line += 'abcdefghij klmnop'[Math.floor(random() * 17)]
    return line
  })

/** The text with `EDITS` lines changed: some in a word, some gone, some new. */
const edited = (lines: readonly string[], random: () => number): string[] => {
  const next = [...lines]
  for (let i = 0; i < EDITS; i++) {
    const at = Math.floor(random() * next.length)
    const kind = random()
    if (kind < 0.6) next[at] = `${next[at]!.slice(0, 40)}CHANGED${next[at]!.slice(47)}`
    else if (kind < 0.8) next.splice(at, 1)
    else next.splice(at, 0, `new line ${i}`)
  }
  return next
}

/** How long `putFile` takes in memory, where another one edited as many other lines meanwhile. */
const inMemory = (random: () => number): number => {
  const base = largeText(random)
  const doc = new Y.Doc()
  const by = 'a-bench' as AgentId
  const text = (lines: readonly string[]) => `${lines.join('\n')}\n`
  putFile(doc, { key: KEY, content: text(base), base: null, by, now: 0 })
  const theirs = text(edited(base, random))
  putFile(doc, { key: KEY, content: theirs, base: text(base), by, now: 1 })
  const mine = text(edited(base, random))
  const started = performance.now()
  putFile(doc, { key: KEY, content: mine, base: text(base), by, now: 2 })
  return performance.now() - started
}

const put = async (home: Home, lines: readonly string[]): Promise<number> => {
  const path = join(home.dir, 'local.txt')
  writeFileSync(path, `${lines.join('\n')}\n`)
  const started = performance.now()
  await home.ask('file-put', '--key', KEY, '--file', path)
  return performance.now() - started
}

export const filePut = async (log: (line: string) => void): Promise<Findings> => {
  const random = seeded(7)
  const memory = Array.from({ length: ROUNDS }, () => inMemory(random))
  const server = await clawlink.start(tempDir())
  const home = newHome(server.port)
  const puts: number[] = []
  const small: number[] = []
  try {
    await home.up()
    await home.ask('register', '--name', 'Writer')
    let lines = largeText(random)
    await put(home, lines)
    for (let round = 0; round < ROUNDS; round++) {
      lines = edited(lines, random)
      puts.push(await put(home, lines))
      lines = [...lines, `round ${round}`]
      small.push(await put(home, lines))
      log(`${milliseconds(puts.at(-1)!)} ms, one line ${milliseconds(small.at(-1)!)} ms`)
    }
  } finally {
    await home.end('SIGKILL')
    await server.kill()
  }
  return {
    title: 'Putting a large file',
    method: METHOD,
    tables: [
      {
        caption: `${ROUNDS} rounds, ${integer(LINES)} lines of 100 bytes`,
        head: ['', 'ms'],
        rows: [
          [
            'the merge in memory; another agent changed as many lines since the base',
            spread(memory, milliseconds),
          ],
          [
            '`file-put` with 1,000 edits, until it is on the server’s disk',
            spread(puts, milliseconds),
          ],
          ['`file-put` with one new line', spread(small, milliseconds)],
        ],
      },
    ],
    targets: [
      {
        claim: `\`file-put\` of 1 MB with 1,000 edits < ${LIMIT} ms`,
        measured: `${milliseconds(median(puts))} ms`,
        passed: median(puts) < LIMIT,
      },
    ],
    samples: { 'merge, ms': memory, 'file-put, ms': puts, 'file-put of one line, ms': small },
  }
}

const METHOD = `How long a command takes that puts a text of 1 MB in which 1,000 lines were changed since the agent
read it: 600 in a word, 200 removed, 200 new. Given to a resident link without the start of a process; in the time are
reading the local file, the merge by lines, the link's and the server's fsync, and the answer.`
