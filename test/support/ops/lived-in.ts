import { randomBytes } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join } from 'node:path'
import type { BroadcastId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { archivedBroadcasts, archivedTasks } from '../../../workspace/document/schema.ts'
import { putBlob } from '../../../workspace/files/put-blob.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { putBytes, someBytes } from '../blobs.ts'
import { until } from '../client.ts'
import { startHere } from '../in-process.ts'
import { fetch, type Server, type ServerAt, startServer, tempDir } from '../server.ts'
import { fileClient } from '../sync-server/file-client.ts'
import { logAt } from '../sync-server/log-at.ts'

/** More than the live array keeps, so that some are archived. */
const BROADCASTS = 2_050
/** Random text that no table of LevelDB's compresses, so that there is more than one. */
const TEXT_BYTES = 1_500_000

/** Fills `default` and `quiet` of a running server with some of everything; it is on disk when this resolves. */
export const liveIn = async (server: ServerAt): Promise<{ blob: string }> => {
  const { doc, by, client, put } = await fileClient(`${server.sync}/default`, 'ada')
  registerAgent(doc, {
    ...{ id: by, name: 'Ada', capabilities: ['x'], machine: 'm', description: 'd', now: 1 },
  })
  for (let i = 0; i < 5; i++) {
    put('notes/plan.md', Array.from({ length: i + 3 }, (_, n) => `${n}: ${i}\n`).join(''))
    await client.barrier()
  }
  const say = (n: number): void => {
    const id = `m-${n.toString(36).padStart(12, '0')}` as BroadcastId
    addBroadcast(doc, { id, from: by, content: `said ${n}`, topic: 't', tags: [], now: 1_000 + n })
  }
  const blob = someBytes(5_000)
  await putBytes(server, blob)
  putBlob(doc, { ...blob, key: 'picture.png', known: null, by, now: Date.now() })
  for (let i = 0; i < 2; i++) put(`big/${i}.txt`, randomBytes(TEXT_BYTES).toString('base64'))
  await client.barrier()
  // Updates of ten each: most of the CPU is what the server does per update.
  for (let i = 0; i < BROADCASTS; i += 10) {
    doc.transact(() => {
      for (let n = i; n < i + 10; n++) say(n)
    })
  }
  for (const [task, to] of ['t-open', 't-done'].entries()) {
    const id = `${to}0000000${task}` as TaskId
    addTask(doc, { ...{ id, from: by, to: by, context: null }, ...taskOf(to), now: Date.now() })
  }
  await client.barrier()
  const done = `${server.url}/api/workspaces/default/tasks/t-done00000001/status`
  const body = JSON.stringify({ by, key: 'k', state: 'completed', message: 'it is done', to: by })
  const answer = await fetch(done, { method: 'POST', body })
  if (!answer.ok) throw new Error(await answer.text())
  await until('old ones are archived', () => archivedBroadcasts(doc) > 0)
  await until('the task is archived', () => archivedTasks(doc) > 0)
  await client.close()
  const quiet = await fileClient(`${server.sync}/quiet`, 'bob')
  quiet.put('a.txt', 'quiet\n')
  await quiet.client.barrier()
  await quiet.client.close()
  return { blob: blob.sha256 }
}

const taskOf = (description: string) => ({ description, priority: 'normal' as const })

export const LIVE_ARGS = ['--log-level', 'error', '--archive-after', '0.00001']

/** The data folder of a server that was lived in, and stopped, or killed. */
export const livedIn = async (end: 'stop' | 'kill'): Promise<{ data: string; blob: string }> => {
  const start = end === 'kill' ? startServer : startHere
  const server: ServerAt & Partial<Server> = await start({ args: LIVE_ARGS })
  const { blob } = await liveIn(server)
  await (server.kill ?? server.stop)()
  return { data: server.data, blob }
}

/** A copy of a folder. */
export const copyOf = (data: string): string => {
  const copy = join(tempDir('copy'), 'data')
  cpSync(data, copy, { recursive: true })
  return copy
}

/** Everything in a data folder that nobody uses: key → value as it is stored, in hex. */
export const dump = async (data: string): Promise<Map<string, string>> => {
  const log = await logAt(data)
  try {
    const all = new Map<string, string>()
    for await (const [key, value] of log.records()) all.set(key, Buffer.from(value).toString('hex'))
    return all
  } finally {
    await log.close()
  }
}
