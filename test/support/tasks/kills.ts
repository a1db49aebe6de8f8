import { deepStrictEqual, ok } from 'node:assert'
import { getTaskArchive } from '../../../client/http/api.ts'
import type { TaskId } from '../../../protocol/ids.ts'
import { isTerminal } from '../../../workspace/tasks/task-states.ts'
import { offersOf } from '../../../workspace/tasks/task-write.ts'
import { entries, historyOf, taskNotes } from '../../../workspace/tasks/tasks.ts'
import { seeded, until } from '../client.ts'
import { type Server, startServer, targetOf } from '../server.ts'
import { checkHistory, type Whole } from './checks.ts'
import { checkInbox } from './ending.ts'
import { type Place, Worker } from './worker.ts'

const WORKERS = 4
/** Ended tasks leave the document after some 2 s (in days), so that the archive takes part. */
const ARGS = ['--log-level', 'error', '--archive-after', '0.000023']
/** Commands that are answered between two kills, at most (count). */
const MOST_BETWEEN = 25
const ROUNDS = 100

/**
 * Agents work on tasks on a real server, which is killed with -9 and started again on its data so many times. Every command
 * that it answered stands, none was done twice, and all tasks have ended, each with a history that breaks no rule; every
 * inbox was told everything once.
 */
export const runKills = async (seed: number, kills: number) => {
  const random = seeded(seed)
  const below = (n: number) => Math.floor(random() * n)
  const workspace = `kills-${seed}`
  let server: Server = await startServer({ args: ARGS, workspaces: [workspace] })
  const { port, data, url } = server
  let up: Promise<unknown> = Promise.resolve()
  let answers = 0
  const onAnswer = () => {
    answers++
  }
  const place: Place = { url, workspace, below, up: () => up, onAnswer }
  const workers = Array.from({ length: WORKERS }, (_, i) => new Worker(place, `${i}`))
  try {
    for (const worker of workers) await worker.join()
    let isOver = false
    const working = workers.map(async (worker) => {
      while (!isOver) await worker.step()
    })
    // Who fails ends it for all.
    const failed = Promise.all(working)
    for (let kill = 0; kill < kills; kill++) {
      const upTo = answers + 1 + below(MOST_BETWEEN)
      await Promise.race([failed, until('commands are answered', () => answers >= upTo, 60_000)])
      const restarted = server.kill().then(() => startServer({ port, data, args: ARGS }))
      up = restarted
      server = await restarted
    }
    isOver = true
    await failed
    await workOut(workers)
    const tasks = await allTasks(place, workers)
    check(workers, tasks)
    const archived = tasks.filter((task) => task.archived).length
    const messages = workers.reduce((sum, worker) => sum + worker.messages.length, 0)
    const commands = workers.reduce((sum, { done }) => sum + done.length, 0)
    return { kills, tasks: tasks.length, archived, commands, messages }
  } catch (error) {
    throw new Error(`SEED=${seed}: ${(error as Error).message}`, { cause: error })
  } finally {
    for (const worker of workers) worker.close()
    await server.kill()
  }
}

/** They go on until nothing is left to do, and look into their inboxes until nothing is new. */
const workOut = async (workers: readonly Worker[]): Promise<void> => {
  for (const worker of workers) await worker.fresh()
  let worked = true
  for (let round = 0; worked; round++) {
    ok(round < ROUNDS, 'they work on and on')
    worked = false
    for (const worker of workers) {
      await worker.finish()
      while (await worker.next()) worked = true
      await worker.finish()
    }
  }
  for (let i = 0; i < 3; i++) {
    for (const worker of workers) {
      await worker.fresh()
      await worker.poll()
    }
  }
}

/**
 * All tasks that there are, live or archived, as the last worker and the archive have them. Tasks go on being archived: it
 * is looked again until none was meanwhile.
 */
const allTasks = async (place: Place, workers: readonly Worker[]): Promise<Whole[]> => {
  for (let look = 0; look < ROUNDS; look++) {
    const { found, end } = await tasksNow(place, workers)
    if (end === (await archiveEnd(place, workers))) return found
  }
  throw new Error('the archive never rests')
}

/** Where the archive ends: of each worker, where it ends for it. */
const archiveEnd = async (
  { url, workspace }: Place,
  workers: readonly Worker[],
): Promise<string> => {
  const ends = []
  for (const { id: me } of workers) {
    let after = 0
    for (;;) {
      const { next } = await getTaskArchive(targetOf(url), workspace, after, me)
      if (next <= after) break
      after = next
    }
    ends.push(after)
  }
  return ends.join()
}

const tasksNow = async (place: Place, workers: readonly Worker[]) => {
  const { url, workspace } = place
  const found = new Map<TaskId, Whole>()
  const end = await archiveEnd(place, workers)
  for (const { id: me } of workers) {
    for (let after = 0; ; ) {
      const page = await getTaskArchive(targetOf(url), workspace, after, me)
      for (const { task } of page.entries) {
        const [history, notes, offers] = [
          task.history.map(({ value }) => value),
          task.notes.map(({ value }) => value),
          task.offers.map(({ value }) => value),
        ] as const
        found.set(task.id, { ...task, history, notes, offers, archived: true })
      }
      if (page.next <= after) break
      after = page.next
    }
  }
  const last = workers.at(-1)!
  await last.fresh()
  for (const entry of entries(last.doc)) {
    const { id, facts, status, record } = entry
    ok(!found.has(id), `${id} is live and archived`)
    ok(record !== null, `${id} is filed`)
    const [history, notes] = [historyOf(entry), taskNotes(last.doc, entry)]
    const offers = offersOf(record)
    found.set(id, { id, facts, status, history, notes, offers, archived: false })
  }
  return { found: [...found.values()], end }
}

const check = (workers: readonly Worker[], tasks: readonly Whole[]): void => {
  const handedIn = workers.flatMap((worker) => worker.handedIn)
  deepStrictEqual(tasks.map(({ id }) => id).sort(), handedIn.sort(), 'the tasks')
  const notes = workers.flatMap((worker) => worker.notes)
  deepStrictEqual(tasks.flatMap((task) => task.notes.map(({ text }) => text)).sort(), notes.sort())
  const byKey = new Map<string, number>()
  for (const task of tasks) {
    checkHistory(task)
    ok(isTerminal(task.status.state), `${task.id} is ${task.status.state} at the end`)
    for (const { key } of task.history) byKey.set(key, (byKey.get(key) ?? 0) + 1)
  }
  const byId = new Map(tasks.map((task) => [task.id, task]))
  for (const { by, key, task } of workers.flatMap((worker) => worker.done)) {
    const step = byId.get(task.task_id)!.history[task.revision - 1]
    const said = { by: step?.by, key: step?.key, state: step?.state }
    deepStrictEqual(said, { by, key, state: task.status }, `what was answered to ${key} stands`)
    deepStrictEqual(byKey.get(key), 1, `${key} was done once`)
  }
  for (const worker of workers) checkInbox(worker, tasks)
}
