import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Agent, type Ran, registeredHere } from '../../support/agent.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

interface Task {
  task_id: string
  status: string
  owner: string | null
  message: string
  token: number
  [more: string]: unknown
}
interface Polled {
  messages: { type: string; message_id: string; [more: string]: unknown }[]
}

let server: ServerAt
let lead: Agent & { id: string }
let scout: Agent & { id: string }
let smith: Agent & { id: string }

beforeAll(async () => {
  server = await startHere()
  lead = await registeredHere(server.url, 'Lead')
  scout = await registeredHere(server.url, 'Scout')
  smith = await registeredHere(server.url, 'Smith')
  await scout.ask('register', '--name', 'Scout', '--caps', 'research,web')
  await smith.ask('register', '--name', 'Smith', '--caps', 'build,web')
})
afterAll(() => server.stop())

const delegate = async (...flags: string[]): Promise<Task> =>
  (await lead.ask<{ task: Task }>('delegate', '--task', 'dig', ...flags)).task
const poll = async (one: Agent) => (await one.ask<Polled>('poll')).messages
const show = async (id: string) => (await lead.ask<{ task: Task }>('task', id)).task
const respond = (one: Agent, id: string, ...flags: string[]) =>
  one.ask<{ task: Task }>('respond', '--to', 'Lead', '--msg-id', id, ...flags)
const refused = (ran: Ran) => ({ code: ran.code, error: ran.json().error?.code })

describe('whom a task is for', () => {
  it('[TASK-8] --caps asks those who have them; the first who claims it has it', async () => {
    const { task_id, requires } = await delegate('--caps', 'web', '--priority', 'high')
    expect(requires).toEqual(['web'])
    for (const one of [scout, smith]) {
      const mine = (await poll(one)).filter(({ message_id }) => message_id === task_id)
      expect(mine).toMatchObject([
        { type: 'task_delegation', to_agent: one.id, requires: ['web'], priority: 'high' },
      ])
    }
    const { task, lease_seconds } = await scout.ask<{ task: Task; lease_seconds: number }>(
      'claim',
      task_id,
    )
    expect(task).toMatchObject({ status: 'working', owner: scout.id, token: 1 })
    expect(lease_seconds).toBe(600)
    expect(refused(await smith.atLink('claim', task_id, '--json'))).toEqual({
      code: 4,
      error: 'task_taken',
    })
    await respond(scout, task_id, '--result', 'found')
  })

  it('[TASK-8] --anyone asks anybody; nobody with the capabilities exits 3 and says what is near', async () => {
    const { task_id } = await delegate('--anyone')
    expect((await poll(smith)).some(({ message_id }) => message_id === task_id)).toBe(true)
    await lead.ask('cancel', task_id)
    const ran = await lead.atLink('delegate', '--caps', 'reserch', '--task', 'x')
    expect(ran).toMatchObject({ code: 3, stdout: '' })
    expect(ran.stderr).toBe('error: nobody else here has reserch — did you mean research?\n')
    expect(
      (await lead.atLink('delegate', '--caps', 'web', '--to', 'Scout', '--task', 'x')).code,
    ).toBe(2)
    expect((await lead.atLink('delegate', '--task', 'x')).code).toBe(2)
  })

  it('[TASK-9] [TASK-22] decline goes to the next; when all have, it ends as rejected', async () => {
    const { task_id } = await delegate('--caps', 'web')
    const said = await scout.atLink('decline', task_id, '--reason', 'no network')
    expect(said.stdout).toBe(`${task_id} goes to others\n`)
    await smith.ask('decline', task_id, '--reason', 'busy')
    const { task } = await lead.ask<{ task: Task }>('wait', task_id)
    expect(task).toMatchObject({ status: 'rejected' })
    expect(task.message).toMatch(/Scout: no network; Smith: busy/)
    const told = (await poll(lead)).filter(({ message_id }) => message_id === task_id)
    expect(told.map(({ event }) => event)).toEqual(['declined', 'declined', 'no-candidate'])
  })

  it('[TASK-10] claim --next takes the most urgent; exit 3 when there is none', async () => {
    const low = await delegate('--to', 'Scout', '--priority', 'low')
    const urgent = await delegate('--caps', 'web', '--priority', 'urgent')
    const key = ['--idempotency-key', 'next-1']
    const first = await scout.ask<{ task: Task }>('claim', '--next', ...key)
    expect(first.task.task_id).toBe(urgent.task_id)
    expect((await scout.ask<{ task: Task }>('claim', '--next', ...key)).task.task_id).toBe(
      urgent.task_id,
    )
    const { stdout } = await scout.atLink('claim')
    expect(stdout).toBe(
      `${low.task_id} is yours, token 1, priority low, from ${lead.id} (Lead)\ntask: dig\n`,
    )
    const none = await scout.atLink('claim', '--next')
    expect(none).toMatchObject({ code: 3, stdout: '' })
    expect(none.stderr).toMatch(/^error: no task is open — wait --type task_delegation/)
    for (const { task_id } of [low, urgent]) await respond(scout, task_id, '--result', 'r')
  })
})

describe('while it goes on', () => {
  it('[TASK-18] [TASK-30] percent, JSON, shared files at their version; a note tells everyone in it', async () => {
    const { task_id } = await delegate('--to', 'Scout')
    await respond(scout, task_id, '--status', 'in_progress', '--note', 'half', '--percent', '50')
    expect(await show(task_id)).toMatchObject({ status: 'working', percent: 50, message: 'half' })
    expect((await lead.atLink('tasks', '--from-me')).stdout).toContain(
      `${task_id}  working 50%  normal`,
    )
    const path = join(scout.cwd, 'out.md')
    writeFileSync(path, 'one\n')
    await scout.ask('file-put', '--key', 'out.md', '--file', path)
    const result = ['--result', 'see file', '--result-json', '{"n":[1,2]}', '--artifact', 'out.md']
    await respond(scout, task_id, ...result)
    writeFileSync(path, 'two\n')
    await scout.ask('file-put', '--key', 'out.md', '--file', path)
    const done = {
      result_json: { n: [1, 2] },
      artifacts: [{ file_key: 'out.md', version: 1 }],
    }
    expect(await show(task_id)).toMatchObject({ status: 'completed', ...done })
    const told = (await poll(lead)).filter(({ message_id }) => message_id === task_id)
    expect(told).toMatchObject([{ percent: 50 }, { status: 'completed', ...done }])
    for (const bad of [
      ['--percent', '101'],
      ['--result-json', '{'],
      ['--token', 'x'],
    ]) {
      expect(
        (
          await scout.atLink(
            'respond',
            ...`--to Lead --msg-id ${task_id}`.split(' '),
            '--result',
            'x',
            ...bad,
          )
        ).code,
      ).toBe(2)
    }
    expect(
      (
        await scout.atLink(
          'respond',
          ...`--to Lead --msg-id ${task_id}`.split(' '),
          '--result',
          'x',
          '--artifact',
          'none.md',
        )
      ).code,
    ).toBe(3)
  })

  it('[TASK-15] a question is answered, and wait ends for who is to answer', async () => {
    const { task_id } = await delegate('--to', 'Scout')
    const waiting = lead.atLink('wait', task_id, '--json')
    await respond(scout, task_id, '--status', 'input-required', '--result', 'which branch?')
    const asked = (await waiting).json().data as { task: Task }
    expect(asked.task).toMatchObject({ status: 'input-required', message: 'which branch?' })
    await lead.ask('answer', task_id, 'release/2')
    const told = (await poll(scout)).filter(({ type }) => type === 'task_update')
    expect(told).toMatchObject([{ event: 'answered', text: 'release/2', message_id: task_id }])
    await respond(scout, task_id, '--result', 'done')
  })

  it('[TASK-13] cancel asks its owner to stop; --force does not', async () => {
    const { task_id } = await delegate('--to', 'Scout')
    await scout.ask('claim', task_id)
    const said = await lead.atLink('cancel', task_id, '--reason', 'moot')
    expect(said.stdout).toBe(`${task_id} is working; its owner is asked to stop\n`)
    const [asked] = (await poll(scout)).filter(({ type }) => type === 'task_update')
    expect(asked).toMatchObject({ event: 'cancel-asked', text: 'moot' })
    await respond(scout, task_id, '--status', 'canceled', '--result', 'stopped')
    expect(await show(task_id)).toMatchObject({ status: 'canceled', message: 'stopped' })
    const forced = await delegate('--to', 'Scout')
    await scout.ask('claim', forced.task_id)
    await lead.ask('cancel', forced.task_id, '--force')
    expect(await show(forced.task_id)).toMatchObject({ status: 'canceled' })
  })

  it('[TASK-14] a result is approved by who is to, never by its author', async () => {
    const { task_id } = await delegate('--to', 'Scout', '--approve-by', 'Smith')
    const said = await scout.atLink(
      ...`respond --to Lead --msg-id ${task_id} --result done`.split(' '),
    )
    const approver = `${smith.id} (Smith)`
    expect(said.stdout).toBe(`${task_id} is input-required: ${approver} is to approve the result\n`)
    expect(refused(await scout.atLink('approve', task_id, '--json')).code).toBe(5)
    const [asked] = (await poll(smith)).filter(({ type }) => type === 'task_update')
    expect(asked).toMatchObject({ event: 'approval-asked', text: 'done', from_agent: scout.id })
    await smith.ask('decline', task_id, '--reason', 'no sources')
    await respond(scout, task_id, '--result', 'with sources')
    await smith.ask('approve', task_id)
    expect(await show(task_id)).toMatchObject({ status: 'completed', message: 'with sources' })
    expect(
      refused(
        await lead.atLink(
          'delegate',
          '--to',
          'Scout',
          '--approve-by',
          'Scout',
          '--task',
          'x',
          '--json',
        ),
      ),
    ).toEqual({ code: 2, error: 'usage' })
  })

  it('[TASK-9] [TASK-23] release gives it back, and it is offered again', async () => {
    const { task_id } = await delegate('--caps', 'web')
    await scout.ask('claim', task_id)
    await poll(smith)
    await scout.ask('release', task_id, '--reason', 'needs a Mac')
    const again = async () => (await poll(smith)).filter(({ message_id }) => message_id === task_id)
    await smith.ask('wait', '--type', 'task_delegation')
    expect(await again()).toMatchObject([{ type: 'task_delegation', attempt: 2 }])
    await smith.ask('claim', task_id)
    await respond(smith, task_id, '--result', 'built')
    const ran = await lead.atLink('task', task_id)
    expect(ran.stdout).toMatch(/submitted \(released\): needs a Mac\n.*working \(claimed\)/)
  })

  it('[TASK-12] --after waits, and fails or runs with it; --ready lists what can be taken', async () => {
    const first = await delegate('--to', 'Scout')
    const then = await delegate('--to', 'Scout', '--after', first.task_id)
    const anyway = await delegate(
      '--to',
      'Scout',
      '--after',
      first.task_id,
      '--after-failed',
      'run',
    )
    expect(then).toMatchObject({ blocked_by: [first.task_id] })
    const blocked = await scout.atLink('claim', then.task_id, '--json')
    expect(refused(blocked)).toEqual({ code: 4, error: 'task_blocked' })
    const ready = async () =>
      (await scout.ask<{ tasks: Task[] }>('tasks', '--ready')).tasks.map(({ task_id }) => task_id)
    expect(await ready()).toEqual([first.task_id])
    await respond(scout, first.task_id, '--status', 'failed', '--result', 'no')
    await scout.ask('wait', then.task_id)
    expect(await show(then.task_id)).toMatchObject({ status: 'failed' })
    expect(await ready()).toEqual([anyway.task_id])
    await respond(scout, anyway.task_id, '--result', 'ok')
    expect(
      (await lead.atLink('delegate', '--to', 'Scout', '--task', 'x', '--after', 't-none')).code,
    ).toBe(3)
  })

  it('[TASK-11] a deadline in the past is refused, one that passes fails the task', async () => {
    const before = Date.now()
    const { task_id, deadline } = await delegate('--to', 'Scout', '--deadline', '1s')
    expect(Date.parse(deadline as string)).toBeGreaterThanOrEqual(before)
    const { task } = await lead.ask<{ task: Task }>('wait', task_id)
    expect(task).toMatchObject({ status: 'failed' })
    for (const bad of ['soon', '2001-01-01', '0s']) {
      expect(
        (await lead.atLink('delegate', '--to', 'Scout', '--task', 'x', '--deadline', bad)).code,
      ).toBe(2)
    }
  })
})

describe('waiting', () => {
  it('[TASK-15] [TASK-29] delegate --wait has the result in its answer; with seconds it exits 7, and the task goes on', async () => {
    const waiting = lead.atLink('delegate', '--to', 'Scout', '--task', 'add', '--wait', '--json')
    let asked: { message_id: string } | undefined
    while (asked === undefined) {
      await scout.ask('wait', '--type', 'task_delegation')
      asked = (await poll(scout)).find(({ task }) => task === 'add')
    }
    await respond(scout, asked.message_id, '--result', '42')
    const data = (await waiting).json().data as { task: Task }
    expect(data.task).toMatchObject({ status: 'completed', message: '42', owner: scout.id })
    expect((await lead.atLink('wait', data.task.task_id)).stdout).toBe(
      `${data.task.task_id} completed by ${scout.id} (Scout): 42\n`,
    )

    const late = await lead.atLink(
      'delegate',
      '--to',
      'Scout',
      '--task',
      'slow',
      '--wait',
      '0.1',
      '--json',
    )
    expect(refused(late)).toEqual({ code: 7, error: 'timeout' })
    const id = /^(t-\w+) is submitted/.exec(late.json().error!.message)![1]!
    expect((await lead.atLink('wait', id, '--timeout', '0.1')).code).toBe(7)
    expect(await show(id)).toMatchObject({ status: 'submitted' })
    await lead.ask('cancel', id)
    expect((await lead.atLink('wait', 't-none')).code).toBe(3)
  })
})

describe('without the server', () => {
  it('[CLI-4] commands are kept and sent in order; a claim is not; what is refused comes back', async () => {
    const mine = await startHere()
    const [a, b] = [await registeredHere(mine.url, 'A'), await registeredHere(mine.url, 'B')]
    const give = async (...flags: string[]) =>
      (await a.ask<{ task: Task }>('delegate', '--to', 'B', '--task', 'x', ...flags)).task.task_id
    const [one, two, three] = [await give(), await give(), await give()]
    await b.ask('claim', one)
    await b.ask('claim', two)
    const { port, data } = mine
    await mine.stop()
    for (const [verb, id] of [
      ['release', one],
      ['respond', two],
      ['decline', three],
    ] as const) {
      const flags =
        verb === 'respond' ? `--to A --msg-id ${id} --result r`.split(' ') : [id, '--reason', 'r']
      const ran = await b.atLink(verb, ...flags, '--json')
      expect(ran).toMatchObject({ code: 0 })
      expect(ran.json().data).toMatchObject({ durable: false })
    }
    expect((await b.atLink('claim', three)).code).toBe(6)
    expect((await b.atLink('claim', '--next')).code).toBe(6)
    // Who asks while it is away may take back what another has ended by then.
    const again = await startHere({ port, data })
    const states = async () => {
      const { tasks } = await a.ask<{ tasks: Task[] }>(
        'tasks',
        '--state',
        'submitted,completed,rejected',
      )
      return Object.fromEntries(tasks.map(({ task_id, status }) => [task_id, status]))
    }
    await a.ask('wait', two)
    await a.ask('wait', three)
    expect(await states()).toEqual({ [one]: 'submitted', [two]: 'completed', [three]: 'rejected' })
    await again.stop()
  })
})
