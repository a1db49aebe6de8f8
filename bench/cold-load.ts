import { cpSync } from 'node:fs'
import type { ColdLoadJob, ColdLoadResult, Content } from './cold-load-client.ts'
import { type Contender, clawlink, hocuspocus, reference, staticDocument } from './contenders.ts'
import { credentialFor } from './credential.ts'
import { startWorker, tempDir, type Worker } from './programs.ts'
import { atLeast, atMost, type Findings, integer, milliseconds, spread, times } from './report.ts'
import { earlier } from './rounds.ts'
import { pairedRatio } from './stats.ts'
import { DOCUMENT_ROOM, type Shape } from './workload.ts'

export interface Document {
  shape: Shape
  updates: number
  rounds: number
  /** The server is killed once it has the document: much of that is single updates then. */
  isKilled?: boolean
}
const DOCUMENTS: readonly Document[] = [
  { shape: 'typed', updates: 10_000, rounds: 3 },
  { shape: 'typed', updates: 100_000, rounds: 5 },
  { shape: 'scattered', updates: 10_000, rounds: 3 },
  { shape: 'scattered', updates: 100_000, rounds: 5 },
  { shape: 'typed', updates: 100_000, rounds: 5, isKilled: true },
  { shape: 'scattered', updates: 100_000, rounds: 5, isKilled: true },
]
const TARGET = 100_000
/** Of the one message from memory. */
const MOST_OVER_FLOOR = 1.3

const SERVERS: readonly Contender[] = [
  ...[staticDocument, reference, hocuspocus],
  ...[...earlier(), clawlink],
]
/** Hocuspocus stores later than it sends, so that a killed one has lost the document. */
const AFTER_KILL: readonly Contender[] = [staticDocument, ...earlier(), clawlink]

type Client = Worker<ColdLoadJob, ColdLoadResult>

/** A data folder a server, each made by that server; all from the same updates. */
export const makeData = async (
  builder: Client,
  { shape, updates, isKilled = false }: Document,
  servers: readonly Contender[] = isKilled ? AFTER_KILL : SERVERS,
): Promise<{ data: Map<Contender, string>; content: Content }> => {
  const data = new Map<Contender, string>()
  const floor = tempDir()
  const { content } = await builder.run({ do: 'save', shape, updates, dir: floor })
  for (const contender of servers) {
    if (contender === staticDocument) {
      data.set(contender, floor)
      continue
    }
    const dir = tempDir()
    const server = await contender.start(dir)
    const { wire } = contender
    await builder.run({ do: 'push', shape, updates, wire, port: server.port })
    await (isKilled ? server.kill() : server.stop())
    data.set(contender, dir)
  }
  return { data, content }
}

/** One newcomer to a server that has just started on a copy of the data; both are new processes. */
export const load = async (
  contender: Contender,
  made: string,
  content: Content,
  applies: boolean,
): Promise<number> => {
  const dir = tempDir()
  cpSync(made, dir, { recursive: true })
  const server = await contender.start(dir)
  const client = await startWorker<ColdLoadJob, ColdLoadResult>('cold-load-client.ts')
  const { wire } = contender
  const { port } = server
  try {
    const at = { wire, port, credential: await credentialFor(port, DOCUMENT_ROOM) }
    return (await client.run({ do: 'load', applies, at, content })).ms
  } finally {
    await client.close()
    await server.kill()
  }
}

interface Series {
  bytes: number[]
  yjs: number[]
}

export const coldLoad = async (log: (line: string) => void): Promise<Findings> => {
  const findings: Findings = {
    title: 'Cold load',
    method: METHOD,
    tables: [],
    targets: [],
    samples: {},
  }
  const builder = await startWorker<ColdLoadJob, ColdLoadResult>('cold-load-client.ts')
  try {
    for (const document of DOCUMENTS) {
      const { data, content } = await makeData(builder, document)
      const found = new Map<Contender, Series>()
      for (const contender of data.keys()) found.set(contender, { bytes: [], yjs: [] })
      for (let round = 0; round < document.rounds; round++) {
        for (const [contender, series] of found) {
          series.bytes.push(await load(contender, data.get(contender)!, content, false))
          series.yjs.push(await load(contender, data.get(contender)!, content, true))
        }
      }
      report(findings, document, found)
      for (const [{ name }, { bytes, yjs }] of found) {
        const figures = `${spread(bytes, milliseconds)} ms received, ${spread(yjs, milliseconds)} ms applied`
        log(`${nameOf(document)}: ${name} ${figures}`)
      }
    }
  } finally {
    await builder.close()
  }
  return findings
}

const nameOf = ({ shape, updates, isKilled = false }: Document): string =>
  `${integer(updates)} updates, ${shape}${isKilled ? ', after kill -9' : ''}`

const report = (findings: Findings, document: Document, found: Map<Contender, Series>) => {
  const { updates, rounds, isKilled = false } = document
  const ours = found.get(clawlink)!
  const what = nameOf(document)
  findings.tables.push({
    caption: `**${what}** (${rounds} rounds)`,
    head: [
      '',
      'received, ms',
      'over clawlink-sync',
      'synced in a Yjs client, ms',
      'over clawlink-sync',
    ],
    rows: [...found].map(([contender, { bytes, yjs }]) => [
      contender.name,
      spread(bytes, milliseconds),
      contender === clawlink ? '' : times(pairedRatio(bytes, ours.bytes)),
      spread(yjs, milliseconds),
      contender === clawlink ? '' : times(pairedRatio(yjs, ours.yjs)),
    ]),
  })
  for (const [{ name }, { bytes, yjs }] of found) {
    findings.samples[`${name}, ${what}, received, ms`] = bytes
    findings.samples[`${name}, ${what}, synced, ms`] = yjs
  }
  if (updates !== TARGET) return
  const overFloor = pairedRatio(ours.yjs, found.get(staticDocument)!.yjs)
  findings.targets.push(atMost(`${what}: synced, of the floor`, overFloor, MOST_OVER_FLOOR))
  if (isKilled) return
  const claim = `${what}: ${hocuspocus.name} over clawlink-sync, received`
  const peer = found.get(hocuspocus)!
  findings.targets.push(atLeast(claim, pairedRatio(peer.bytes, ours.bytes), 8))
}

const METHOD = `How long a newcomer waits for a document that the server has on disk but not in memory. The
document is pushed through each server over its own wire, one update an inserted word (by four clientIDs; *typed*: ten
words in a row on average, then elsewhere; *scattered*: each at another place, which Yjs cannot merge), the server
stopped with SIGTERM, or killed at once where it says so, and started anew for every round on a copy of that data, as is
the client, which is handed its credential. The clock runs from
connect: until the bytes have been **received** by a client that applies nothing (the server's part), and until a Yjs
client is **synced** with the whole text (y-websocket's provider; for Hocuspocus an adapter of its sync messages). The
text is compared afterwards. The floor is a server that sends the document as one message from memory: the Yjs
client's own work is in it, and no server can be faster: what a Yjs client does to apply 100,000 edits is most of the
second column, so the target is set for the server's part.`
