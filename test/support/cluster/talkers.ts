import { setTimeout as pause } from 'node:timers/promises'
import { type Agent, agent } from '../agent.ts'
import { ask } from '../auth/members.ts'

/** Attempts of an agent to join (count), and the time between two of them (milliseconds). */
const JOIN_TRIES = 50
const JOIN_MS = 500

/** How often each message arrived. */
export interface Talk {
  sent: string[]
  arrived: Map<string, number>
}

interface Polled {
  messages: { type: string; content?: unknown; text?: unknown }[]
}

/** Two agents with links of their own: one broadcasts, the other polls, which acknowledges. */
export class Talkers {
  readonly talk: Talk = { sent: [], arrived: new Map() }
  readonly #pauseMs: number
  #speaker!: Agent
  #listener!: Agent
  #isOver = false
  #working: Promise<void>[] = []

  constructor(pauseMs: number) {
    this.#pauseMs = pauseMs
  }

  /** They join a workspace by a link of the owner's. */
  async start(url: string, workspace: string): Promise<void> {
    ;[this.#speaker, this.#listener] = [
      await joined(url, workspace, 'speaker'),
      await joined(url, workspace, 'listener'),
    ]
    this.#working = [this.#speak(), this.#listen()]
  }

  /** Stops when all that was sent has arrived, or `ms` later. */
  async stop(ms: number): Promise<void> {
    this.#isOver = true
    await this.#working[0]
    const until = performance.now() + ms
    while (this.talk.arrived.size < this.talk.sent.length && performance.now() < until) {
      await this.#poll()
    }
    await this.#working[1]
    // What is acknowledged does not come again.
    await this.#poll()
    for (const one of [this.#speaker, this.#listener]) await one.run('down')
  }

  async #speak(): Promise<void> {
    for (let n = 0; !this.#isOver; n++) {
      const text = `message-${n}`
      const { code } = await this.#speaker.atLink('broadcast', text, '--json')
      if (code === 0) this.talk.sent.push(text)
      await pause(this.#pauseMs)
    }
  }

  async #listen(): Promise<void> {
    while (!this.#isOver) await this.#poll()
  }

  async #poll(): Promise<void> {
    const { code, stdout } = await this.#listener.atLink('poll', '--any', '--wait', '1', '--json')
    if (code !== 0) return
    const { data } = JSON.parse(stdout) as { data: Polled }
    for (const text of stdoutMessages(data)) {
      this.talk.arrived.set(text, (this.talk.arrived.get(text) ?? 0) + 1)
    }
  }
}

const stdoutMessages = ({ messages }: Polled): string[] =>
  messages.flatMap(({ type, ...rest }) =>
    type === 'knowledge_broadcast'
      ? (JSON.stringify(rest).match(/message-\d+/) ?? []).slice(0, 1)
      : [],
  )

const joined = async (url: string, workspace: string, name: string): Promise<Agent> => {
  const made = await patiently(() =>
    ask<{ secret: string }>({ url }, '/api/admin/invite', { workspace, uses: 1 }),
  )
  const one = agent()
  const link = `${url}/#w=${workspace}&i=${made.data.secret}`
  await patiently(() => one.ask('join', link))
  await patiently(() => one.ask('register', '--name', name))
  return one
}

/** Tries again, as the hint of a node says that has no lease at the moment. */
const patiently = async <T>(work: () => Promise<T>): Promise<T> => {
  for (let tries = 1; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (tries === JOIN_TRIES) throw error
      await pause(JOIN_MS)
    }
  }
}

/** What is wrong with the messages. */
export const wrongMessages = ({ sent, arrived }: Talk): string[] => [
  ...sent.filter((text) => !arrived.has(text)).map((text) => `${text} did not arrive`),
  ...[...arrived]
    .filter(([, times]) => times > 1)
    .map(([text, times]) => `${text} came ${times} times`),
]
