import { connect, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import type { Ask, Say } from '../../client/resident/wire.ts'
import { write } from '../../lib/disk/stdout.ts'
import { Relay } from './relay.ts'
import { MAX_LINE_BYTES } from './tools/limits.ts'

/** A connection with a link on which MCP has begun, or the link's answer to a wrong command line. */
export type Opened = Socket | { text: string; code: number }

const NEWLINE = 0x0a
/** JSON-RPC 2.0: invalid request. */
const INVALID_REQUEST = -32_600

/** `absent`: no link is running there; `again`: it left, so the next one is to be asked. */
export const joinMcp = (
  path: string,
  ask: Ask,
  again: boolean,
): Promise<Opened | 'absent' | 'again'> =>
  new Promise((resolve) => {
    let isConnected = false
    let text = ''
    const socket = connect(path, () => {
      isConnected = true
      socket.write(`${JSON.stringify({ ...ask, mcp: { again } })}\n`)
    })
    const end = (how: Opened | 'absent' | 'again'): void => {
      socket.destroy()
      resolve(how)
    }
    const lost = () => end(isConnected ? 'again' : 'absent')
    const read = linesOf((line) => {
      const said = JSON.parse(line.toString()) as Say
      if (said.mcp) {
        socket.off('data', read).off('close', lost).pause()
        return resolve(socket)
      }
      if (said.next) return end('again')
      text += `${said.out ?? ''}${said.err ?? ''}`
      if (said.code !== undefined) end({ text, code: said.code })
    })
    socket.on('data', read)
    socket.on('error', () => {})
    socket.on('close', lost)
  })

/** Calls `onLine` with each line; a longer one than a message may be is left out, and `onTooLong` called. */
const linesOf = (onLine: (line: Buffer) => void, onTooLong: () => void = () => {}) => {
  let chunks: Buffer[] = []
  let bytes = 0
  return (chunk: Buffer): void => {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      const line = Buffer.concat([...chunks, chunk.subarray(from, end)])
      const isWhole = bytes + end - from <= MAX_LINE_BYTES
      chunks = []
      bytes = 0
      from = end + 1
      if (isWhole) onLine(line)
      else onTooLong()
    }
    bytes += chunk.length - from
    if (bytes <= MAX_LINE_BYTES) chunks.push(chunk.subarray(from))
    else chunks = []
  }
}

/** stdin and stdout as one stream. */
export const stdio = (): Duplex =>
  Duplex.from({ readable: process.stdin, writable: process.stdout }) as Duplex

/**
 * Pipes stdin and stdout to a link until stdin ends; resolves to the exit code. Where the link is lost, `open` gives the
 * next one, which gets what the host waits for; null: there can be none, and the host's requests are answered so.
 */
export const pipe = async (first: Opened, open: () => Promise<Opened | null>): Promise<number> => {
  if (!isSocket(first)) {
    await write(2, first.text)
    return first.code
  }
  return new Promise((resolve) => {
    let link: Socket | null = null
    const toHost = (line: string): void => {
      if (!process.stdout.write(`${line}\n`)) link?.pause()
    }
    const relay = new Relay({
      toHost,
      toLink: (line) => {
        if (link?.write(`${line}\n`) === false) process.stdin.pause()
      },
      open: async () => {
        const opened = await open()
        if (opened === null || !isSocket(opened)) return false
        use(opened)
        return true
      },
    })
    const use = (socket: Socket): void => {
      link = socket
      const read = linesOf((line) => relay.fromLink(line.toString()))
      socket.on('data', read)
      socket.on('drain', () => process.stdin.resume())
      socket.on('close', () => {
        if (link !== socket) return
        link = null
        process.stdin.resume()
        relay.lost()
      })
      socket.resume()
    }
    const end = (): void => {
      const socket = link
      link = null
      relay.close()
      socket?.destroy()
      process.stdin.destroy()
      resolve(0)
    }
    const tooLong = {
      code: INVALID_REQUEST,
      message: `a message has at most ${MAX_LINE_BYTES} bytes`,
    }
    use(first)
    process.stdin.on(
      'data',
      linesOf(
        (line) => relay.fromHost(line.toString()),
        () => toHost(JSON.stringify({ jsonrpc: '2.0', id: null, error: tooLong })),
      ),
    )
    process.stdin.on('end', end)
    process.stdin.on('error', end)
    process.stdout.on('drain', () => link?.resume())
    process.stdout.on('error', end)
  })
}

const isSocket = (opened: Opened): opened is Socket => 'destroy' in opened
