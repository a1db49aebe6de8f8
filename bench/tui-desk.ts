import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import { newMessageId } from '../protocol/fresh-ids.ts'
import type { AgentId } from '../protocol/ids.ts'
import { registerAgent } from '../workspace/agents/agents.ts'
import { addBroadcast } from '../workspace/messages/broadcasts.ts'
import { clawlink } from './contenders.ts'
import { socketWith } from './credential.ts'
import { newHome } from './homes.ts'
import { program, type ServerProcess, tempDir } from './programs.ts'
import { openScreen, type Screen } from './screen.ts'

export const AGENTS = 20
/** Changes that the agents make in all, in a second: edits of the open file, presence, broadcasts. */
export const RATE = 50
const FILE = 'shared.md'

/** Characters of one cell that are nowhere else on the screen, each used once. */
export const fresh = (() => {
  let next = 0x1401
  return () => String.fromCodePoint(next++)
})()

/** An agent as the document and the others have it, by a stock provider. */
const openAgent = async ({ port }: ServerProcess, token: string, n: number) => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`ws://127.0.0.1:${port}/sync`, 'default', doc, {
    disableBc: true,
    WebSocketPolyfill: socketWith(token),
  })
  await new Promise<void>((resolve) => provider.once('sync', () => resolve()))
  const id = `a-bench${n}` as AgentId
  registerAgent(doc, {
    ...{ id, name: `Agent ${n}`, capabilities: ['bench'], machine: 'bench', description: '' },
    now: Date.now(),
  })
  const text = doc.getText(`file:${FILE}`)
  const cursor = (at: number) => {
    const place = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, at))
    return { file: FILE, anchor: place, head: place }
  }
  let said = 0
  return {
    doc,
    text,
    /** One change: mostly an edit of its own line with the cursor in it, sometimes words. */
    change: () => {
      const kind = said++ % 10
      if (kind === 9) {
        addBroadcast(doc, {
          ...{ id: newMessageId(), from: id, topic: 'bench', tags: [] },
          ...{ content: `found ${said}`, now: Date.now() },
        })
        return
      }
      const at = text.toString().indexOf(`line ${n}:`)
      if (at >= 0 && kind < 6) text.insert(at + `line ${n}:`.length, kind % 2 === 0 ? ' x' : ' y')
      provider.awareness.setLocalState({
        agent: { id, name: `Agent ${n}`, kind: 'agent' },
        activity: { state: 'active', note: `step ${said}` },
        cursor: cursor(Math.max(0, at)),
      })
    },
    close: () => {
      provider.destroy()
      provider.awareness.destroy()
    },
  }
}

export const timeKey = async (screen: Screen): Promise<number> => {
  const character = fresh()
  const drawn = screen.drawn(character)
  const start = screen.type(character)
  return (await drawn) - start
}

/** From the start of the process to the first row of the workspace. */
const timeStart = async (env: NodeJS.ProcessEnv, url: string): Promise<number> => {
  const start = performance.now()
  const screen = await openScreen([process.execPath, program('clawlink'), url], env)
  const at = await screen.drawn('connected')
  screen.close()
  return at - start
}

/** A server with agents, and a person's home, all of this build, or of the one that CLAWLINK_BENCH_DIST names. */
export const openDesk = async () => {
  const data = tempDir()
  const server = await clawlink.start(data)
  const { token } = JSON.parse(readFileSync(join(data, 'owner.json'), 'utf8')) as { token: string }
  const home = newHome(server.port)
  const env = { ...home.env, CLAWLINK_AGENT: 'me' }
  const url = `http://127.0.0.1:${server.port}`
  const agents: Awaited<ReturnType<typeof openAgent>>[] = []
  const close = async () => {
    for (const agent of agents) agent.close()
    await home.end('SIGKILL')
    await server.kill()
  }
  try {
    await home.up()
    await home.ask('--as', 'me', 'register', '--name', 'Ann', '--person')
    const lines = Array.from({ length: 400 }, (_, n) => `line ${n}:`).join('\n')
    for (let n = 0; n < AGENTS; n++) agents.push(await openAgent(server, token, n))
    await home.ask('--as', 'me', 'file-append', '--key', FILE, '--text', `${lines}\n`)
  } catch (error) {
    await close()
    throw error
  }
  let turn = 0
  return {
    agents,
    /** A terminal with the workspace on it. */
    openUi: async (): Promise<Screen> => {
      const screen = await openScreen([process.execPath, program('clawlink'), url], env)
      await screen.drawn('connected')
      return screen
    },
    /** Opens the file that the agents edit. */
    openFile: async (screen: Screen): Promise<void> => {
      await sleep(500)
      screen.press('4')
      await screen.drawn(FILE)
      screen.press('Enter')
      await screen.drawn('line 3')
    },
    start: (): Promise<number> => timeStart(env, url),
    /** Has the agents work until the result is called. */
    work: (): (() => void) => {
      const timer = setInterval(() => agents[turn++ % AGENTS]!.change(), 1_000 / RATE)
      return () => clearInterval(timer)
    },
    close,
  }
}
