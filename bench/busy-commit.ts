import { BURST, type BusyCommitJob, type BusyCommitResult, type Load } from './busy-commit-load.ts'
import { clawlink } from './contenders.ts'
import { startWorker, tempDir } from './programs.ts'
import { atMost, type Findings, integer, spread, times } from './report.ts'
import { median, pairedRatio } from './stats.ts'

const BURSTS = 100
const ROUNDS = 7
/** Of the time of the single updates. */
const MOST = 0.25

const LOADS: readonly { load: Load; name: string; isTarget: boolean }[] = [
  { load: 'appended', name: 'four writers, each at the end of its own text', isTarget: true },
  { load: 'typed', name: 'one writer, ten words in a row on average', isTarget: false },
  { load: 'scattered', name: 'one writer, each word at another place', isTarget: false },
]

/** The CPU time in which a Yjs client applies a commit of many updates. */
export const busyCommit = async (log: (line: string) => void): Promise<Findings> => {
  const rows: string[][] = []
  const findings: Findings = {
    ...{ title: 'A busy commit in a Yjs client', method: METHOD },
    tables: [{ caption: `${ROUNDS} rounds`, head: HEAD, rows }],
    ...{ targets: [], samples: {} },
  }
  for (const { load, name, isTarget } of LOADS) {
    const found: BusyCommitResult[] = []
    for (let round = 0; round < ROUNDS; round++) found.push(await measure(load))
    const series = (read: (one: BusyCommitResult) => number): number[] => found.map(read)
    const sent = series(({ asSent }) => (asSent * MICROSECONDS) / BURSTS)
    const single = series((one) => (one.single * MICROSECONDS) / BURSTS)
    const ratio = pairedRatio(sent, single)
    const messages = series((one) => one.messages / BURSTS)
    const each = median(messages).toFixed(1)
    rows.push([name, each, spread(sent, integer), spread(single, integer), times(ratio)])
    log(rows.at(-1)!.join(' · '))
    findings.samples[`${name}, as sent, µs`] = sent
    findings.samples[`${name}, single, µs`] = single
    findings.samples[`${name}, messages`] = messages
    if (isTarget) findings.targets.push(atMost(`${name}: of the single updates`, ratio, MOST))
  }
  return findings
}

const MICROSECONDS = 1_000

const measure = async (load: Load): Promise<BusyCommitResult> => {
  const server = await clawlink.start(tempDir())
  const client = await startWorker<BusyCommitJob, BusyCommitResult>('busy-commit-load.ts')
  try {
    return await client.run({ port: server.port, load, bursts: BURSTS })
  } finally {
    await client.close()
    await server.kill()
  }
}

const HEAD = ['', `messages for ${BURST} updates`, 'as sent, µs', 'one by one, µs', 'of one by one']

const METHOD = `${BURSTS} times ${BURST} updates reach a clawlink-sync at once, two such bursts under way at a time, and a client that wrote none of them keeps
the messages that it gets: the server sends a commit of many updates as one. A Yjs client that listens for updates, as
y-websocket's provider does, then applies these messages, and the same updates one by one, each to a new document; both
have run once before. It is the client's CPU time for ${BURST} updates; the documents are compared afterwards.`
