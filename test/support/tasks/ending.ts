import { deepStrictEqual, ok } from 'node:assert'
import { ClawError } from '../../../protocol/errors.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { isoTime } from '../../../workspace/document/schema.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import {
  approveTask,
  claimTask,
  type MoveOutcome,
  moveTask,
} from '../../../workspace/tasks/task-commands.ts'
import { claimNext } from '../../../workspace/tasks/task-next.ts'
import { isAddressee } from '../../../workspace/tasks/task-routing.ts'
import { isTerminal, state1x } from '../../../workspace/tasks/task-states.ts'
import { getTask, type TaskEntry } from '../../../workspace/tasks/tasks.ts'
import { type Watch, type Whole, wholeTasks } from './checks.ts'
import type { Run } from './operations.ts'
import { OFFER_MS, type TaskWorld } from './world.ts'

/** Rounds in which all work on what they can (count): a chain of tasks that wait for each other takes one a link. */
const ROUNDS = 40

/** All come back and work on what they can; then nothing is left that could be done, and everybody was told everything. */
export const checkEnd = async (run: Run, watch: Watch): Promise<void> => {
  const { world } = run
  for (const member of world.members) {
    member.connect()
    member.setSilent(false)
    member.exchange()
  }
  let round = 0
  while (workOnce(world, `r${round}`)) {
    watch.check()
    ok(++round <= ROUNDS, 'they work on and on')
    world.pass(OFFER_MS)
    for (const member of world.members) member.exchange()
  }
  for (const { id, facts, status } of world.index.open) {
    const waits = facts.after?.some((other) => !isTerminal(world.stateOf(other) ?? 'completed'))
    ok(
      waits || eligible(world, { facts, status }).length === 0,
      `${id} is ${status.state} for ever`,
    )
    run.count('nobody could')
  }
  // Some of it is archived before they look.
  if (world.below(2) === 0) world.pass(3 * 3_600_000)
  for (let i = 0; i < 3; i++) {
    for (const member of world.members) {
      member.exchange()
      await member.poll()
      member.exchange()
    }
  }
  watch.check()
  ok(!world.leftUndone(), 'something was left undone')
  const tasks = wholeTasks(world)
  checkKept(run, tasks)
  for (const member of world.members) checkInbox(member, tasks)
}

/** Who could take the task or go on with it. */
const eligible = (world: TaskWorld, { facts, status }: Pick<TaskEntry, 'facts' | 'status'>) =>
  world.members.filter(
    ({ id }) =>
      isAddressee(world.doc, facts, id) &&
      facts.approver !== id &&
      (facts.to === id || !status.declined?.includes(id)),
  )

/** Each does what is for it to do; whether there was anything. */
const workOnce = (world: TaskWorld, round: string): boolean => {
  let serial = 0
  let worked = false
  const act = (what: (command: Command) => unknown, task: string, by: AgentId): void => {
    const key = `${round}-${serial++}`
    const done = world.command(() => what({ task, by, key, now: world.now, message: key }))
    ok((done as Partial<MoveOutcome>).refused === undefined, `${by} may do that to ${task}`)
    worked = true
  }
  for (const { id } of world.members) {
    for (const { id: task, facts, status } of [...world.index.open]) {
      const { doc } = world
      const { state, pending, owner } = status
      if (pending && facts.approver === id) act((command) => approveTask(doc, command), task, id)
      else if (state === 'input-required' && !pending && facts.from === id) {
        act((command) => moveTask(doc, { ...command, state: 'working' }), task, id)
      } else if (owner === id && !pending) {
        act((command) => moveTask(doc, { ...command, state: 'completed' }), task, id)
      } else if (facts.to === id && owner === null && getTask(doc, task).blocked_by === undefined) {
        act((command) => claimTask(doc, command), task, id)
      }
    }
    try {
      act((command) => claimNext(world.doc, world.index, command), '', id)
    } catch (error) {
      if (!(error instanceof ClawError) || error.code !== 'nothing_to_claim') throw error
    }
  }
  return worked
}

interface Command {
  task: string
  by: AgentId
  key: string
  now: number
  message: string
}

/** Everything handed in is in the document or in the archive, once. */
const checkKept = ({ tasks, notes }: Run, all: readonly Whole[]): void => {
  deepStrictEqual(all.map(({ id }) => id).sort(), [...tasks].sort(), 'the tasks')
  const kept = all.flatMap(({ id, notes }) => notes.map(({ text }) => `${text} on ${id}`))
  deepStrictEqual(kept.sort(), [...notes].map(([text, id]) => `${text} on ${id}`).sort(), 'notes')
}

const lineOf = (...parts: (string | number | undefined)[]): string => parts.join(' ')

interface Told {
  id: AgentId
  messages: readonly Message[]
}

/** A member was told each offer to it and each step of what it delegated, once, and of the rest nothing twice. */
export const checkInbox = ({ id: me, messages }: Told, tasks: readonly Whole[]): void => {
  const wanted = { offers: [] as string[], steps: [] as string[], canceled: [] as string[] }
  const notes = new Set<string>()
  for (const { id, facts, status, history, offers, notes: said, archived } of tasks) {
    for (const { to, token } of offers) if (to === me) wanted.offers.push(lineOf(id, token + 1))
    for (const { by, at, state, event, message } of history) {
      if (by === me) continue
      const step = lineOf(id, isoTime(at), state1x(state), event, message)
      if (facts.from === me) wanted.steps.push(step)
      else if (state === 'canceled' && (status.owner ?? facts.to) === me) {
        wanted.canceled.push(lineOf(id, message))
      }
    }
    const isIn = [facts.from, facts.to, facts.approver].includes(me)
    // A note on what was archived already reaches the archive alone.
    for (const { by, text } of said) if (by !== me && isIn && !archived) notes.add(lineOf(id, text))
  }
  const got = { offers: [] as string[], steps: [] as string[], canceled: [] as string[] }
  const heard: string[] = []
  for (const message of messages) {
    const { message_id: id, timestamp } = message
    if (message.type === 'task_delegation') got.offers.push(lineOf(id, message.attempt ?? 1))
    if (message.type === 'task_response') {
      got.steps.push(lineOf(id, timestamp, message.status, message.event, message.result))
    }
    if (message.type === 'task_canceled') got.canceled.push(lineOf(id, message.reason))
    if (message.type === 'task_note') heard.push(lineOf(id, message.text))
  }
  for (const what of ['offers', 'steps', 'canceled'] as const) {
    deepStrictEqual(got[what].sort(), wanted[what].sort(), `${me} was told of ${what}`)
  }
  deepStrictEqual(heard.length, new Set(heard).size, `${me} was told of a note twice`)
  for (const note of notes) ok(heard.includes(note), `${me} was not told of note ${note}`)
}
