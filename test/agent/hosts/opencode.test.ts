import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type Agent, registered } from '../../support/agent.ts'
import { until } from '../../support/client.ts'
import { homeWith } from '../../support/hosts.ts'
import { type Server, startServer } from '../../support/server.ts'

interface Part {
  id?: string
  messageID?: string
  text: string
  synthetic?: boolean
}
interface Hooks {
  dispose: () => Promise<void>
  'chat.message': (input: { sessionID: string }, output: { parts: Part[] }) => Promise<void>
  event: (input: { event: { type: string; properties: object } }) => Promise<void>
}

let server: Server
let lead: Agent & { id: string }
let ben: Agent & { id: string }
beforeAll(async () => {
  server = await startServer()
  lead = await registered(server.url, 'lead')
  ben = await registered(server.url, 'ben')
})
afterAll(() => server.stop())

it('[HOST-54] opencode’s plugin tells a session where it stands, and wakes the session that there is', async () => {
  const home = homeWith(['opencode'])
  const env = { HOME: home, XDG_CONFIG_HOME: '', OPENCODE_CONFIG_DIR: '' }
  expect(await ben.runWith({ env }, 'hosts', 'install', 'opencode')).toMatchObject({ code: 0 })
  const file = pathToFileURL(join(home, '.config/opencode/plugin/clawlink.js')).href
  const { ClawLink } = (await import(/* @vite-ignore */ file)) as {
    ClawLink: (given: object) => Promise<Hooks>
  }
  const asked: { path: { id: string }; body: { parts: Part[] } }[] = []
  const client = {
    session: {
      promptAsync: async (given: (typeof asked)[number]) => {
        asked.push(given)
        return {}
      },
    },
  }
  const hooks = await ClawLink({ client, directory: ben.cwd })
  try {
    const say = async (text: string, synthetic?: boolean): Promise<string[]> => {
      const parts: Part[] = [
        { id: 'prt_1', messageID: 'msg_1', text, ...(synthetic && { synthetic }) },
      ]
      await hooks['chat.message']({ sessionID: 'ses_1' }, { parts })
      return parts.slice(1).map((part) => part.text)
    }
    await lead.ask('delegate', '--to', 'ben', '--task', 'Look at it')
    expect(await say('a wake', true)).toEqual([])
    expect(await say('hello')).toEqual([expect.stringMatching(/^you: a-\w+ \(ben\) /)])
    expect(await say('and now')).toEqual([
      expect.stringMatching(/^ClawLink: unread: 1 task_delegation\. Run: clawlink-agent poll$/),
    ])
    await until('it asks for a turn', () => asked.length > 0)
    expect(asked[0]).toMatchObject({
      path: { id: 'ses_1' },
      body: { parts: [{ text: expect.stringMatching(/^ClawLink: /), synthetic: true }] },
    })
  } finally {
    await hooks.dispose()
  }
})
