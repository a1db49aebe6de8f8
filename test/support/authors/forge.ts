import * as encoding from 'lib0/encoding'
import * as Y from 'yjs'
import { encode } from '../auth/arrival-runs.ts'
import type { Member } from '../auth/members.ts'
import { frame, liveDoc, RawClient } from '../client.ts'

/** Somebody whose text mallory wants to be hers, or hers to be theirs. */
export interface Victim {
  agent: string
  doc: Y.Doc
}

/** An update that deletes what is deleted already. */
const deletionsOf = (doc: Y.Doc): Uint8Array => {
  const { clients } = Y.createDeleteSetFromStructStore(doc.store)
  return encoding.encode((to) => {
    encoding.writeVarUint(to, 0)
    encoding.writeVarUint(to, clients.size)
    for (const [client, ranges] of clients) {
      for (const number of [client, ranges.length]) encoding.writeVarUint(to, number)
      for (const { clock, len } of ranges) {
        for (const number of [clock, len]) encoding.writeVarUint(to, number)
      }
    }
  })
}

const copyOf = (doc: Y.Doc): Y.Doc => {
  const copy = new Y.Doc()
  Y.applyUpdate(copy, Y.encodeStateAsUpdate(doc))
  return copy
}

/** Text under another's client id, from a clock on. */
const under = (client: number, clock: number, root: string, text: string): Uint8Array => {
  const id = Y.createID(client, clock)
  const content = new Y.ContentString(text)
  return encode([[client, [new Y.Item(id, null, null, null, null, root as never, null, content)]]])
}

type Forgery = (at: {
  url: string
  headers: Member['headers']
  victim: Victim
  root: string
}) => Promise<number | null>

const refused = async (url: string, headers: Member['headers'], update: Uint8Array) => {
  const client = await RawClient.open(url, headers)
  client.send(frame(0, 1, new Uint8Array([0, 0])))
  client.update(update)
  const code = await Promise.race([client.closed, client.barrier().then(() => null)])
  if (code === null) await client.close()
  return code
}

/** Attempts to write as another, or to be credited with what another did; the close code, or null for none. */
export const FORGERIES: Readonly<Record<string, Forgery>> = {
  'goes on under another’s id': ({ url, headers, victim: { doc }, root }) =>
    refused(url, headers, under(doc.clientID, Y.getState(doc.store, doc.clientID), root, 'forged')),
  'says other words under a known id': ({ url, headers, victim: { doc }, root }) =>
    refused(url, headers, under(doc.clientID, 0, root, 'f')),
  'writes under the server’s id': ({ url, headers, victim: { doc }, root }) => {
    const server = doc.getMap('meta').get('serverClient') as number
    return refused(url, headers, under(server, Y.getState(doc.store, server), root, 'forged'))
  },
  'deletes again what is deleted': ({ url, headers, victim: { doc } }) =>
    refused(url, headers, deletionsOf(doc)),
  'sends all of it again': async ({ url, headers, victim: { doc } }) => {
    const { client } = await liveDoc(url, copyOf(doc), headers)
    await client.close()
    return null
  },
  'sends all of it, with more under the other’s id': async ({ url, headers, victim, root }) => {
    const forged = copyOf(victim.doc)
    forged.clientID = victim.doc.clientID
    forged.getText(root).insert(0, 'forged')
    return refused(url, headers, Y.encodeStateAsUpdate(forged))
  },
  'shows itself as another': async ({ url, headers, victim: { agent, doc } }) => {
    const client = await RawClient.open(url, headers)
    const state = { agent: { id: agent, name: agent, kind: 'agent' }, activity: { task: 't-1' } }
    const entry = frame(1, doc.clientID, 999, Buffer.from(JSON.stringify(state)))
    client.send(frame(1, entry))
    const code = await Promise.race([client.closed, client.barrier().then(() => null)])
    if (code === null) await client.close()
    return code
  },
}
