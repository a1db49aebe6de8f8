import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import * as Y from 'yjs'
import { bearer, credentialFor } from './credential.ts'
import { connectDoc, whenDoc } from './doc-client.ts'
import { serveJobs } from './programs.ts'
import { connectRaw } from './raw-client.ts'
import { clientFrame, WIRES, type WireName } from './wire.ts'
import { DOCUMENT_TEXT, documentUpdates, DOCUMENT_ROOM as ROOM, type Shape } from './workload.ts'

/** The clients of the cold-load benchmark. */
export type ColdLoadJob =
  /** Pushes the document through a server, update by update, until another client has all of it. */
  | { do: 'push'; shape: Shape; updates: number; wire: WireName; port: number }
  /** Writes the whole document as one update into `dir`/state. */
  | { do: 'save'; shape: Shape; updates: number; dir: string }
  /** Connects with a Yjs client, or one that applies nothing, until all of the document is there. */
  | { do: 'load'; applies: boolean; at: Place; content: Content }

/** The server, and what it takes for a credential: getting one would fill the heap of the client that is measured. */
interface Place {
  wire: WireName
  port: number
  credential: string | null
}

/** What the document's text must be. */
export interface Content {
  length: number
  sha256: string
}

export interface ColdLoadResult {
  ms: number
  content: Content
}

/** Updates sent before the other client is seen to have them. */
const PUSH_BATCH = 500
/** A step that takes longer hangs (ms). */
const LIMIT = 120_000

const contentOf = (text: string): Content => ({
  length: text.length,
  sha256: createHash('sha256').update(text).digest('hex'),
})

const verify = (doc: Y.Doc, content: Content) => {
  const found = contentOf(doc.getText(DOCUMENT_TEXT).toString())
  if (found.sha256 !== content.sha256) throw new Error('the document came out wrong')
}

const push = async (
  { updates, content }: ReturnType<typeof documentUpdates>,
  wireName: WireName,
  port: number,
): Promise<Content> => {
  const wire = WIRES[wireName]
  const doc = new Y.Doc()
  const text = doc.getText(DOCUMENT_TEXT)
  const observer = connectDoc(wireName, port, ROOM, doc, await credentialFor(port, ROOM))
  await observer.synced
  const writer = await connectRaw(wire, port, ROOM)
  const wordLength = content.length / updates.length
  for (let at = 0; at < updates.length; at += PUSH_BATCH) {
    const batch = updates.slice(at, at + PUSH_BATCH)
    writer.send(Buffer.concat(batch.map((update) => clientFrame(wire.wrap(ROOM, update)))))
    const expected = (at + batch.length) * wordLength
    await whenDoc(doc, () => text.length === expected, LIMIT)
  }
  verify(doc, contentOf(content))
  writer.close()
  observer.close()
  return contentOf(content)
}

/** From connect until a Yjs client is synced and its text has its full length. */
const loadDocument = async (
  { wire, port, credential }: Place,
  content: Content,
): Promise<number> => {
  const doc = new Y.Doc()
  const text = doc.getText(DOCUMENT_TEXT)
  const start = performance.now()
  const client = connectDoc(wire, port, ROOM, doc, credential)
  await client.synced
  await whenDoc(doc, () => text.length === content.length, LIMIT)
  const ms = performance.now() - start
  verify(doc, content)
  client.close()
  return ms
}

/** From connect until the server has said "that is all" and at least as many bytes as the text has are there. */
const loadBytes = async (
  { wire: wireName, port, credential }: Place,
  content: Content,
): Promise<number> => {
  const wire = WIRES[wireName]
  const updates: Uint8Array[] = []
  let bytes = 0
  let welcome = false
  const headers = bearer(credential)
  const start = performance.now()
  const ws = new WebSocket(`ws://127.0.0.1:${port}${wire.path(ROOM)}`, { headers })
  ws.on('open', () => {
    for (const message of wire.hello(ROOM)) ws.send(message)
  })
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`not within ${LIMIT} ms`)), LIMIT)
    ws.on('error', reject)
    ws.on('message', (message: Buffer) => {
      welcome ||= wire.isWelcome(message)
      const update = wire.unwrap(message)
      if (update === null) return
      updates.push(update)
      bytes += update.length
      if (!welcome || bytes < content.length) return
      clearTimeout(timer)
      resolve()
    })
  })
  const ms = performance.now() - start
  const doc = new Y.Doc()
  doc.transact(() => {
    for (const update of updates) Y.applyUpdate(doc, update)
  })
  verify(doc, content)
  ws.terminate()
  return ms
}

let made: { key: string; document: ReturnType<typeof documentUpdates> } | null = null
const documentOf = (shape: Shape, updates: number) => {
  const key = `${shape} ${updates}`
  if (made?.key !== key) made = { key, document: documentUpdates(shape, updates) }
  return made.document
}

serveJobs<ColdLoadJob, ColdLoadResult>(async (job) => {
  const start = performance.now()
  if (job.do === 'push') {
    const content = await push(documentOf(job.shape, job.updates), job.wire, job.port)
    return { ms: performance.now() - start, content }
  }
  if (job.do === 'save') {
    const { updates, content } = documentOf(job.shape, job.updates)
    const doc = new Y.Doc()
    doc.transact(() => {
      for (const update of updates) Y.applyUpdate(doc, update)
    })
    mkdirSync(job.dir, { recursive: true })
    writeFileSync(join(job.dir, 'state'), Y.encodeStateAsUpdate(doc))
    return { ms: performance.now() - start, content: contentOf(content) }
  }
  const { at, content } = job
  const ms = await (job.applies ? loadDocument : loadBytes)(at, content)
  return { ms, content }
})
