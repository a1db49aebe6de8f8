import { afterAll, beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { frame, liveDoc, RawClient, until } from '../../support/client.ts'
import { startHere } from '../../support/in-process.ts'
import type { ServerAt } from '../../support/server.ts'

let server: ServerAt
let mallory: Member
beforeAll(async () => {
  server = await startHere({ args: ['--limit', 'offences=1000'] })
  mallory = await member(server, 'a-mallory')
})
afterAll(() => server.stop())

const state = (client: number, clock: number, agent: string) => {
  const json = JSON.stringify({ agent: { id: agent, name: agent, kind: 'agent' } })
  return frame(1, frame(1, client, clock, new TextEncoder().encode(json)))
}

const open = ({ headers }: Member) => RawClient.open(`${server.sync}/default`, headers)

const writtenUnder = (client: number): Uint8Array => {
  const doc = new Y.Doc()
  doc.clientID = client
  doc.getText('junk').insert(0, '.')
  return Y.encodeStateAsUpdate(doc)
}

it('[PRESENCE-5] nobody writes under a client id that another shows, until it shows it no more', async () => {
  const ben = await member(server, 'a-ben')
  const shown = await open(ben)
  shown.send(state(4711, 1, ben.agent))
  await shown.barrier()
  const thief = await open(mallory)
  thief.send(frame(0, 1, writtenUnder(4711)))
  expect(await thief.closed).toBe(4430)
  shown.update(writtenUnder(4711))
  await shown.barrier()
  // From here on it is ben's for good; one that was shown only is anybody's again.
  await shown.close()
  const late = await open(mallory)
  late.send(frame(0, 1, writtenUnder(4711)))
  await late.barrier()
  const brief = await open(ben)
  brief.send(state(4712, 1, ben.agent))
  await brief.barrier()
  await brief.close()
  await late.close()
  await until('it is anybody’s', async () => {
    const again = await open(mallory)
    again.update(writtenUnder(4712))
    const isTaken = await Promise.race([again.barrier().then(() => true), again.closed])
    again.ws.terminate()
    return isTaken === true
  })
})

it('[PRESENCE-5] an agent that brings another’s first edits is not locked out: they pass once the other has sent them', async () => {
  const [zoe, yan] = [await member(server, 'a-zoe'), await member(server, 'a-yan')]
  const shown = await open(zoe)
  shown.send(state(5001, 1, zoe.agent))
  await shown.barrier()
  const both = new Y.Doc()
  Y.applyUpdate(both, writtenUnder(5001))
  both.getText('junk').insert(0, 'yan')
  const relay = await open(yan)
  relay.send(frame(0, 1, Y.encodeStateAsUpdate(both)))
  expect(await relay.closed).toBe(4430)
  shown.update(writtenUnder(5001))
  await shown.barrier()
  const again = await open(yan)
  again.send(frame(0, 1, Y.encodeStateAsUpdate(both)))
  await again.barrier()
  await Promise.all([again.close(), shown.close()])
})

it('[PRESENCE-6] an agent that is connected is present after a restart, whoever shows itself under its client id', async () => {
  const cat = await member(server, 'a-cat')
  const { client, doc } = await liveDoc(`${server.sync}/default`, new Y.Doc(), cat.headers)
  const facts = { name: 'Cat', capabilities: [], machine: '', description: '', now: 1 }
  registerAgent(doc, { id: cat.agent as AgentId, ...facts })
  await client.barrier()
  await client.close()
  const { data, port } = server
  await server.stop()
  server = await startHere({ data, port, args: ['--limit', 'offences=1000'] })
  const first = await open(mallory)
  first.send(state(doc.clientID, 1_000_000, mallory.agent))
  await first.barrier()
  const back = await open(cat)
  back.send(state(doc.clientID, 1, cat.agent))
  await back.barrier()
  const status = async () => {
    const path = '/api/workspaces/default/agents'
    const { data } = await ask<{ agents: { agent_id: string; status: string }[] }>(server, path)
    return data.agents.find(({ agent_id }) => agent_id === cat.agent)?.status
  }
  await until('it is here', async () => (await status()) === 'online')
  await back.close()
  await first.close()
})
