import { WebsocketProvider } from 'y-websocket'
import * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { OwnSocket } from '../../support/client.ts'

/** A stock client that edits its own line of a file, with its caret there. */
export interface Typist {
  edit: () => void
  close: () => void
}

// Each stock provider listens to the end of the process.
process.setMaxListeners(100)

/** Opens one. `isDeaf`: it reads nothing of the others, so that many of them fit into one process. */
export const openTypist = async (
  url: string,
  file: string,
  n: number,
  isDeaf: boolean,
): Promise<Typist> => {
  const doc = new Y.Doc()
  const provider = new WebsocketProvider(`${url.replace(/^http/, 'ws')}/sync`, 'default', doc, {
    disableBc: true,
    WebSocketPolyfill: OwnSocket as never,
  })
  await new Promise<void>((resolve) => provider.once('sync', () => resolve()))
  const [id, name] = [`a-typist${n}` as AgentId, `Typist ${n}`]
  registerAgent(doc, {
    ...{ id, name, capabilities: [], machine: 'here', description: '', now: Date.now() },
  })
  const text = doc.getText(`file:${file}`)
  if (isDeaf && provider.ws !== null) provider.ws.onmessage = () => {}
  let turn = 0
  let at = 0
  const edit = (): void => {
    const begin = `line ${n}:`
    // A deaf one finds its line where it was; others may move it.
    if (turn === 0 || !isDeaf) at = text.toString().indexOf(begin) + begin.length
    if (turn % 2 === 0) text.insert(at, 'x')
    else text.delete(at, 1)
    if (turn++ % 2 === 1) return
    const place = Y.relativePositionToJSON(Y.createRelativePositionFromTypeIndex(text, at))
    provider.awareness.setLocalState({
      agent: { id, name, kind: 'agent' },
      activity: { state: 'active' },
      cursor: { file, anchor: place, head: place },
    })
  }
  const close = (): void => {
    provider.destroy()
    provider.awareness.destroy()
  }
  return { edit, close }
}

/** Has all of them edit `perSecond` times per second each, spread evenly; returns the function that ends it. */
export const keepTyping = (typists: readonly Typist[], perSecond: number): (() => void) => {
  const everyMs = 1_000 / perSecond / typists.length
  let next = performance.now()
  let turn = 0
  const timer = setInterval(() => {
    for (; next <= performance.now(); next += everyMs) typists[turn++ % typists.length]!.edit()
  }, 5)
  return () => clearInterval(timer)
}
