import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import * as Y from 'yjs'
import { type Contender, clawlink, hocuspocus, reference } from './contenders.ts'
import { credentialFor } from './credential.ts'
import { connectDoc, whenDoc } from './doc-client.ts'
import { tempDir } from './programs.ts'
import { type Findings, integer } from './report.ts'

const RUNS = 20
/** Edits a run, each a message of its own. */
const EDITS = 10
const EDIT = 'edit '
const ROOM = 'crash'
/** A step that takes longer hangs (ms). */
const LIMIT = 20_000
/** The reference says "synced" before its store has loaded: what is not there after this long is lost (ms). */
const PATIENCE = 500

const SERVERS: readonly Contender[] = [reference, hocuspocus, clawlink]

const textOf = (doc: Y.Doc): Y.Text => doc.getText('text')
const editsIn = (doc: Y.Doc): number => textOf(doc).length / EDIT.length

/** One client writes, another reads; when it has read the last edit, the server is killed. Returns the loss. */
const killedServerLoses = async ({ start, wire }: Contender): Promise<number> => {
  const data = tempDir()
  const server = await start(data)
  const [writing, reading] = [new Y.Doc(), new Y.Doc()]
  const credential = await credentialFor(server.port, ROOM)
  const writer = connectDoc(wire, server.port, ROOM, writing, credential)
  const reader = connectDoc(wire, server.port, ROOM, reading, credential)
  await Promise.all([writer.synced, reader.synced])
  let gone: Promise<void> | null = null
  const seenAll = () => {
    if (editsIn(reading) === EDITS) gone ??= server.kill()
    return gone !== null
  }
  const seen = whenDoc(reading, seenAll, LIMIT)
  for (let edit = 0; edit < EDITS; edit++) {
    textOf(writing).insert(textOf(writing).length, EDIT)
    await nextTurn()
  }
  await seen
  writer.close()
  reader.close()
  await gone

  const again = await start(data)
  const found = new Y.Doc()
  const client = connectDoc(wire, again.port, ROOM, found, await credentialFor(again.port, ROOM))
  await client.synced
  for (let waited = 0; waited < PATIENCE && editsIn(found) < EDITS; waited += 20) await sleep(20)
  client.close()
  await again.kill()
  return EDITS - editsIn(found)
}

export const crash = async (log: (line: string) => void): Promise<Findings> => {
  const lost = new Map<Contender, number[]>()
  for (const contender of SERVERS) lost.set(contender, [])
  for (let run = 0; run < RUNS; run++) {
    for (const [contender, losses] of lost) losses.push(await killedServerLoses(contender))
  }
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0)
  const rows = [...lost].map(([{ name }, losses]) => [
    name,
    integer(losses.filter((edits) => edits > 0).length),
    integer(sum(losses)),
  ])
  for (const row of rows) log(row.join(' · '))
  const ours = sum(lost.get(clawlink)!)
  return {
    title: 'Crash',
    method: METHOD,
    tables: [
      {
        caption: `${RUNS} runs, ${RUNS * EDITS} edits`,
        head: ['', 'runs with a loss', 'edits lost'],
        rows,
      },
    ],
    targets: [
      {
        claim: 'clawlink-sync loses nothing that anyone has seen',
        measured: `${ours} lost`,
        passed: ours === 0,
      },
    ],
    samples: Object.fromEntries(
      [...lost].map(([{ name }, losses]) => [`${name}, edits lost`, losses]),
    ),
  }
}

const METHOD = `What \`kill -9\` takes back. One client sends ${EDITS} edits, each a message of its own; the moment a
second client has the last of them, the server gets SIGKILL. It is started again on the same data, and a third client
counts. An edit lost here was on somebody's screen.`
