import { afterAll, beforeAll } from 'vitest'
import { type Agent, registeredHere } from './agent.ts'
import { startHere } from './in-process.ts'
import type { ServerAt } from './server.ts'

/** One message of `poll --json`. */
export interface Message {
  type: string
  message_id: string
  content?: string
  task?: string
  [field: string]: unknown
}
export type Poll = { messages: Message[]; count: number }

/** The server of a test file, which a test may start anew, and the agent Lead that is registered there. */
export interface Stage {
  server: ServerAt
  lead: Agent & { id: string }
  say: (content: string) => Promise<unknown>
}

/** Set up before the first test of the file that calls this, and ended after its last. */
export const stageWithLead = (): Stage => {
  const stage = {
    say: (content) => stage.lead.ask('broadcast', '--content', content),
  } as Stage
  beforeAll(async () => {
    stage.server = await startHere()
    stage.lead = await registeredHere(stage.server.url, 'Lead')
  })
  afterAll(() => stage.server.stop())
  return stage
}
