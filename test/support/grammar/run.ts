import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { AgentId, BroadcastId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { submissionsOf } from '../../../workspace/document/schema.ts'
import { taskRecords } from '../../../workspace/document/shape.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { type Agent, registered } from '../agent.ts'
import { ask, type Member, member } from '../auth/members.ts'
import { frame, RawClient, seeded, until } from '../client.ts'
import { bin, fetch, type Server, startServer, tempDir } from '../server.ts'
import { noTerminal, openTerminal } from '../terminal.ts'
import { hostileRequest, hostileUpdate, type Known, randomOf } from './hostile.ts'

/**
 * A server under hostile operations by members who know the schema, with honest agents at work all along, restarts and
 * compaction in between. Throws, with the seed, where the server exits, or an honest message, edit or task is lost, doubled
 * or altered, or a program fails on what remains.
 */

export interface Plan {
  seed: number
  /** Hostile Yjs operations and HTTP requests (count). */
  operations: number
  /** Honest rounds, each followed by a look, spread evenly (count). */
  rounds: number
  /** Restarts, by SIGTERM and SIGKILL in turns (count). */
  restarts: number
  /** Is told after each round. */
  onRound?: (outcome: Outcome) => void
}

export interface Outcome {
  operations: number
  /** Updates, by what became of them. */
  accepted: number
  refused: { [closeCode: string]: number }
  /** Requests, by HTTP status. */
  answered: { [status: string]: number }
  honest: { messages: number; edits: number; tasks: number }
}

/** What bounds members' rates is off: this is about what gets in. */
const LIMITS = [
  ...['offences', 'handshakes', 'messages', 'bytes', 'work', 'requests', 'failures', 'refusals'],
  ...['agent-connections', 'address-connections', 'awareness', 'client-ids'],
].map((name) => `${name}=1000000000`)
const ARGS = ['--log-level', 'fatal', '--limit', LIMITS.join(',')]
const PARALLEL = 4
/** After so many frames an attacker takes a new connection although it was not cut. */
const FRAMES = 50
/** Updates that the server accepts in each round (count), at least. */
const ACCEPTED = 3

const socketOf = (who: Member) =>
  class extends WebSocket {
    constructor(url: string | URL, protocols?: string | string[]) {
      super(url, protocols ?? [], { headers: who.headers })
    }
  }

/** An honest stock y-websocket client, which reconnects by itself. */
const stock = async (server: Server, who: Member) => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(server.sync, 'default', doc, {
    ...{ disableBc: true, WebSocketPolyfill: socketOf(who) as never, maxBackoffTime: 200 },
  })
  await until('the honest client is in sync', () => provider.synced)
  return { doc, provider }
}

interface Attacker {
  who: Member
  client: number
  clock: number
}

export const runGrammar = async (plan: Plan): Promise<Outcome> => {
  const random = randomOf(seeded(plan.seed))
  let server = await startServer({ args: ARGS })
  const outcome: Outcome = {
    ...{ operations: 0, accepted: 0, refused: {}, answered: {} },
    honest: { messages: 0, edits: 0, tasks: 0 },
  }
  const writers = await Promise.all(['mallory', 'trudy'].map((name) => member(server, name)))
  const reader = await member(server, 'reader', 'read')
  const token = await ask<{ secret: string }>(server, '/api/admin/invite', { http: 't' })
  const bearers = [...writers, reader].map(({ token }) => token).concat(token.data.secret)

  const hana = await member(server, 'hana')
  const honest = await stock(server, hana)
  registerAgent(honest.doc, {
    ...{
      id: 'hana' as AgentId,
      name: 'hana',
      capabilities: [],
      machine: '',
      description: '',
      now: 1,
    },
  })
  const ben = await registered(server.url, 'ben')
  await ben.ask('up')
  const cora = await member(server, 'cora')
  const http = <T>(path: string, body?: object): Promise<{ status: number; data: T }> =>
    ask<T>(server, `/api/workspaces/default/${path}`, body, cora.headers)
  await http('register', { name: 'cora' })

  const known: Known & { ids: string[]; clients: number[] } = {
    ...{ me: 'mallory', agents: ['hana', 'cora', ben.id], ids: ['m-none'], paths: ['honest.md'] },
    // Under these nobody edits a file: what is in files any member may delete.
    clients: [],
  }
  const sent = new Set<string>()
  const got = new Map<string, number>()
  const delegated = new Map<string, string>()
  let text = ''

  /** Honest work: a message, an edit, a task. */
  const round = async (n: number): Promise<void> => {
    text += `line ${n}\n`
    const { doc } = honest
    const now = Date.now()
    putFile(doc, {
      key: 'honest.md',
      content: text,
      base: doc.getText('file:honest.md').toString(),
      by: 'hana' as AgentId,
      now,
    })
    const id = `m-honest-${n}` as BroadcastId
    addBroadcast(doc, {
      id,
      from: 'hana' as AgentId,
      to: ben.id as AgentId,
      content: `dm ${n}`,
      topic: 'general',
      tags: [],
      now,
    })
    sent.add(`dm ${n}`)
    known.ids.push(id)
    const made = await http<{ task: { task_id: string } }>('tasks', {
      task: `task ${n}`,
      to: ben.id,
      reset_trace: true,
    })
    if (made.status !== 200) throw new Error(`an honest task is refused: ${JSON.stringify(made)}`)
    delegated.set(made.data.task.task_id, `task ${n}`)
    known.ids.push(made.data.task.task_id)
    await takeAll()
  }

  /** Ben reads all there is, and does what he was given. */
  const takeAll = async (): Promise<void> => {
    for (;;) {
      const { messages } = await ben.ask<{ messages: { [field: string]: unknown }[] }>('poll')
      if (messages.length === 0) return
      for (const message of messages) {
        const said = message.content ?? message.task
        const isHonest = message.from_agent === 'hana' || message.from_agent === 'cora'
        if (!isHonest || said === undefined) continue
        got.set(String(said), (got.get(String(said)) ?? 0) + 1)
        if (message.type !== 'task_delegation') continue
        const task = String(message.message_id)
        await ben.ask('claim', task)
        await ben.ask('respond', '--to', 'cora', '--msg-id', task, '--result', `did ${said}`)
      }
    }
  }

  const attackers = Array.from({ length: PARALLEL }, (_, i): Attacker => {
    const who = writers[i % writers.length]!
    return { who, client: 1_000 + i, clock: 0 }
  })

  /** One connection of an attacker; ends when it is cut, or after a while. */
  const attack = async (one: Attacker): Promise<void> => {
    const client = new RawClient(`${server.sync}/default`, one.who.headers)
    await Promise.race([
      until('it is open', () => client.ws.readyState === WebSocket.OPEN),
      client.closed,
    ])
    // An empty SyncStep2: from now on a gap is refused, not held.
    client.send(frame(0, 1, new Uint8Array([0, 0])))
    for (let n = 0; n < FRAMES && client.ws.readyState === WebSocket.OPEN; n++) {
      const most = random.pick([1, 1, 2, 25])
      const made = hostileUpdate(
        random,
        { ...known, me: one.who.agent },
        one.client,
        one.clock,
        most,
      )
      outcome.operations += made.operations
      client.update(made.update)
      const isKept = await Promise.race([
        client.barrier().then(() => true),
        client.closed.then(() => false),
      ])
      if (isKept) {
        one.clock = made.clock
        outcome.accepted++
      }
    }
    if (client.ws.readyState === WebSocket.OPEN) return client.close()
    const code = String(await client.closed)
    outcome.refused[code] = (outcome.refused[code] ?? 0) + 1
    // Part of it may have been taken: it goes on under another id.
    if (code === '1006' || code === '1001') one.client += PARALLEL
    if (one.client !== 1_000) one.clock = code === '1006' || code === '1001' ? 0 : one.clock
  }

  const request = async (by: string): Promise<void> => {
    const { method, path, body } = hostileRequest(random, known)
    const answer = await globalThis.fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body }),
    })
    const said = await answer.text()
    outcome.operations++
    outcome.answered[answer.status] = (outcome.answered[answer.status] ?? 0) + 1
    if (answer.status >= 500 && ![503, 507].includes(answer.status)) {
      throw new Error(
        `${method} ${path} ${body?.slice(0, 300)}: ${answer.status} ${said.slice(0, 300)}`,
      )
    }
  }

  const restart = async (n: number): Promise<void> => {
    const { port, data } = server
    if (n % 2 === 0) {
      const code = await server.stop()
      if (code !== 0) throw new Error(`SIGTERM: exit ${code} ${server.log().slice(-500)}`)
    } else await server.kill()
    server = await startServer({ port, data, args: ARGS })
    await until(
      'the honest client is back',
      () => honest.provider.wsconnected && honest.provider.synced,
    )
  }

  /**
   * Hostile operations until `operations` were sent in all and some were accepted since: an
   * update that the server accepts is the one that can do harm. Ten times as many are the end.
   */
  const attackUntil = async (operations: number): Promise<void> => {
    const before = outcome.accepted
    const isEnough = (): boolean =>
      outcome.operations >= operations &&
      (outcome.accepted >= before + ACCEPTED || outcome.operations >= 10 * operations)
    await Promise.all(
      attackers.map(async (one, i) => {
        while (!isEnough()) {
          await attack(one)
          for (let n = 0; n < 3; n++) await request(bearers[(i + n) % bearers.length]!)
          if (server.process.exitCode !== null) {
            throw new Error(
              `the server exited: ${server.process.exitCode} ${server.log().slice(-2_000)}`,
            )
          }
        }
      }),
    )
  }

  try {
    for (let n = 1; n <= plan.rounds; n++) {
      await round(n)
      known.clients.splice(
        0,
        1_000,
        ...clientsBut(honest.doc, [honest.doc.clientID, ...attackers.map(({ client }) => client)]),
      )
      await attackUntil(Math.ceil((plan.operations * n) / plan.rounds))
      plan.onRound?.(outcome)
      if (n % Math.max(1, Math.floor(plan.rounds / plan.restarts)) === 0) await restart(n)
    }
    await round(plan.rounds + 1)
    await allArrived()
    await everyProgram(server, ben, text)
    Object.assign(outcome.honest, {
      messages: sent.size,
      edits: plan.rounds + 1,
      tasks: delegated.size,
    })
    return outcome
  } catch (error) {
    throw new Error(`SEED=${plan.seed}: ${(error as Error).message}`, { cause: error })
  } finally {
    honest.provider.destroy()
    await ben.run('down')
    if ((await server.stop()) !== 0) console.log(server.log().slice(-2_000))
  }

  async function allArrived(): Promise<void> {
    await until('all that was sent has arrived', async () => {
      await takeAll()
      return [...sent, ...delegated.values()].every((one) => got.has(one))
    })
    for (const [what, times] of got)
      if (times !== 1) throw new Error(`"${what}" came ${times} times`)
    await until('the answers are in', () => submissionsOf(honest.doc).length === 0)
    const reader = await stock(server, hana)
    if (reader.doc.getText('file:honest.md').toString() !== text)
      throw new Error('the honest file was altered')
    const states = new Map<string, unknown>()
    for (const [id, record] of taskRecords(reader.doc))
      states.set(id, (record.get('status') as { state?: unknown })?.state)
    reader.provider.destroy()
    for (const id of delegated.keys()) {
      if (states.get(id) !== 'completed') throw new Error(`task ${id} is ${states.get(id)}`)
    }
  }
}

const clientsBut = (doc: Y.Doc, but: readonly number[]): number[] => {
  const clients = [...doc.store.clients.keys()].filter((client) => !but.includes(client))
  return clients.length === 0 ? [1] : clients
}

const VERBS: readonly (readonly string[])[] = [
  ...[['discover'], ['tasks'], ['log'], ['file-list'], ['sent'], ['prime'], ['status']],
  ...[['poll', '--peek'], ['info'], ['whoami'], ['file-log', '--key', 'honest.md']],
  ...[
    ['file-get', '--key', 'honest.md'],
    ['file-get', '--key', 'nowhere.md'],
    ['task', 't-none'],
  ],
]

/** Every verb, a mirror, the terminal program, `verify` and `export` work on what remains. */
const everyProgram = async (
  server: Server,
  ben: Agent & { id: string },
  text: string,
): Promise<void> => {
  for (const verb of VERBS) {
    for (const args of [verb, [...verb, '--json']]) {
      const { code, stdout, stderr } = await ben.run(...args)
      if (code !== 0 && code !== 3)
        throw new Error(`${args.join(' ')}: ${code} ${stdout.slice(0, 300)}${stderr.slice(0, 500)}`)
      if (args.includes('--json')) JSON.parse(stdout)
    }
  }
  const folder = tempDir('mirror')
  mkdirSync(join(folder, 'tree'))
  await ben.ask('mirror', join(folder, 'tree'))
  const file = join(folder, 'tree', 'honest.md')
  await until('the mirror has it', () => existsSync(file) && readFileSync(file, 'utf8') === text)
  await ben.ask('mirror', join(folder, 'tree'), '--stop')
  if (noTerminal === null) {
    const terminal = openTerminal(100, 30, { CLAWLINK_HOME: ben.home })
    terminal.type(`node ${bin('clawlink.mjs')} ${server.url}`)
    terminal.press('Enter')
    await terminal.shows('Who are you?')
    terminal.type('Ann')
    await terminal.shows(/Name.*Ann/)
    terminal.press('Enter')
    await terminal.shows('Ann (you)')
    for (const key of ['2', '3', '4']) terminal.press(key)
    await terminal.shows('honest.md')
    terminal.close()
  }
  const health = (await (await fetch(`${server.url}/health`)).json()) as {
    status?: unknown
    ok?: unknown
  }
  if (health.status !== 'ok' && health.ok !== true)
    throw new Error(`/health: ${JSON.stringify(health)}`)
  const backup = join(folder, 'backup')
  const commands = [
    ['backup', backup, '--data', server.data],
    ['verify', backup],
    ['export', join(folder, 'export'), '--data', server.data],
  ]
  for (const args of commands) {
    const ran = spawnSync(process.execPath, [bin('clawlink-sync.cjs'), ...args], {
      encoding: 'utf8',
    })
    // A member may refer to a blob that nobody has put: `verify` says so, and nothing else is wrong.
    const problems = ran.stdout.split('\n').filter((line) => /^(damaged|invalid) /.test(line))
    const isOnlyMissing =
      args[0] === 'verify' &&
      problems.length > 0 &&
      problems.every((line) =>
        line.includes(': a file or a checkpoint refers to it, and it is missing'),
      )
    if (ran.status !== 0 && !isOnlyMissing)
      throw new Error(
        `clawlink-sync ${args.join(' ')}: ${ran.status} ${ran.stdout.slice(-500)}${ran.stderr.slice(-500)}`,
      )
  }
}
