import { type Agent, agent } from '../../support/agent.ts'
import { type Server, startServer, tempDir } from '../../support/server.ts'
import { type Home, newHome } from './home.ts'

/** A server that can be restarted, ana who delegates, and homes of those who work. */
export interface Team {
  ana: Agent
  server: () => Server
  /** SIGKILL, then another process on the same data and port. */
  restartServer: () => Promise<void>
  /** A new home with a profile of that name. */
  newMember: (name: string, path: string) => Promise<Home>
  /** Delegates to an agent; the task's id, and when the command was started (ms of `performance.now()`). */
  delegate: (to: string, task: string) => Promise<{ task: string; began: number }>
  /** Resolves once ana has read a result with this text. */
  hasResult: (text: string) => Promise<void>
  close: () => Promise<void>
}

/** A turn ends, and its result is with ana, within this time (seconds). */
const DONE_S = 120

export const startTeam = async (): Promise<Team> => {
  process.env.CLAWLINK_RUN_DIR = tempDir('run')
  const args = ['--log-level', 'error']
  let server = await startServer({ args })
  const ana = agent(server.url)
  await ana.ask('register', '--name', 'ana')
  const members: Home[] = []
  return {
    ana,
    server: () => server,
    restartServer: async () => {
      const { data, port } = server
      await server.kill()
      server = await startServer({ args, data, port })
    },
    newMember: async (name, path) => {
      const home = newHome(`host-${name}`, path)
      members.push(home)
      // The invitation of a local server: only the member's registration has it.
      home.env.CLAWLINK_RUN_DIR = process.env.CLAWLINK_RUN_DIR!
      await home.run('clawlink-agent', '--relay', server.url, 'register', '--name', name)
      delete home.env.CLAWLINK_RUN_DIR
      return home
    },
    delegate: async (to, text) => {
      const began = performance.now()
      const { task } = await ana.ask<{ task: { task_id: string } }>(
        ...(['delegate', '--to', to, '--task', text] as const),
      )
      return { task: task.task_id, began }
    },
    hasResult: async (text) => {
      const end = performance.now() + DONE_S * 1_000
      for (let read = ''; !read.includes(text); ) {
        if (performance.now() > end) throw new Error(`ana never got "${text}", but:\n${read}`)
        await ana.run('wait', '--timeout', String(DONE_S), '--type', 'task_response')
        read = (await ana.run('poll')).stdout
      }
    },
    close: async () => {
      for (const home of members) await home.run('clawlink-agent', 'down').catch(() => {})
      await ana.run('down')
      await server.stop()
    },
  }
}
