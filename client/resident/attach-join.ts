import { connect, type Socket } from 'node:net'
import { ClawError } from '../../protocol/errors.ts'
import type { LinkState } from './attach-wire.ts'
import { type Answer, frameReader, type Joining, KIND_UPDATE, type Welcome } from './attach-wire.ts'
import { type LinkAt, newAsk } from './run.ts'

/** The end of a connection to a link: there was no link, there was one, or its rejection. */
export type Left = 'absent' | 'left' | ClawError

export interface JoinedBy {
  /** `update`: what this side lacks of the document. */
  onWelcome: (welcome: Welcome, update: Uint8Array, socket: Socket) => void
  onUpdate: (update: Uint8Array) => void
  onState: (state: LinkState) => void
}

/** Attaches to the link that listens there; resolves when that connection has ended. */
export const join = (
  link: LinkAt,
  flags: readonly string[],
  joining: Joining,
  { onWelcome, onUpdate, onState }: JoinedBy,
): Promise<Left> =>
  new Promise((resolve) => {
    let how: Left = 'absent'
    const line: Buffer[] = []
    let welcome: Welcome | null = null
    let isAnswered = false
    const socket = connect(link.socket, () => {
      how = 'left'
      socket.write(`${JSON.stringify({ ...newAsk(link.version, flags), attach: joining })}\n`)
    })
    const frames = frameReader((kind, payload) => {
      if (kind !== KIND_UPDATE) onState(JSON.parse(Buffer.from(payload).toString()) as LinkState)
      else if (welcome === null) onUpdate(payload)
      else {
        const first = welcome
        welcome = null
        onWelcome(first, payload, socket)
      }
    })
    const read = (chunk: Buffer): void => {
      if (isAnswered) {
        frames(chunk)
        return
      }
      line.push(chunk)
      if (!chunk.includes('\n')) return
      isAnswered = true
      const all = Buffer.concat(line.splice(0))
      const end = all.indexOf('\n')
      const answer = JSON.parse(all.subarray(0, end).toString()) as Answer
      if ('refused' in answer) how = ClawError.fromBody(answer.refused)
      if ('attached' in answer) {
        welcome = answer.attached
        frames(all.subarray(end + 1))
      } else {
        socket.destroy()
      }
    }
    socket.on('data', (chunk: Buffer) => {
      try {
        read(chunk)
      } catch (error) {
        how = ClawError.from(error)
        socket.destroy()
      }
    })
    socket.on('error', () => {}) // and closes
    socket.on('close', () => resolve(how))
  })
