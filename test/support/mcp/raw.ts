import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { bin } from '../server.ts'

export interface Line {
  id?: string | number | null
  result?: { [name: string]: unknown }
  error?: { code: number; message: string }
}

/** A process of `clawlink-agent mcp` that is spoken to by lines, which need not be messages. */
export interface RawHost {
  child: ChildProcess
  write: (text: string) => void
  /** Resolves to the line that answers this id. */
  answerTo: (id: string | number | null) => Promise<Line>
  lines: readonly Line[]
  end: () => Promise<number | null>
}

export const call = (id: string | number, method: string, params: object = {}): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`

export const HANDSHAKE = call('begin', 'initialize', {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'raw', version: '1' },
})

export const rawHost = (home: string, server: string, args: readonly string[] = []): RawHost => {
  const env = { ...process.env, CLAWLINK_HOME: home, CLAWLINK_SERVER: server, CLAWLINK_AGENT: '' }
  const command = [bin('clawlink-agent.cjs'), 'mcp', ...args]
  const child = spawn(process.execPath, command, { env, stdio: ['pipe', 'pipe', 'inherit'] })
  const lines: Line[] = []
  let rest = ''
  let heard = () => {}
  child.stdin.on('error', () => {}) // it may end first
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = `${rest}${chunk}`.split('\n')
    rest = parts.pop()!
    lines.push(...parts.map((part) => JSON.parse(part) as Line))
    heard()
  })
  return {
    child,
    lines,
    write: (text) => child.stdin.write(text),
    answerTo: async (id) => {
      for (;;) {
        const at = lines.findIndex((line) => line.id === id)
        if (at >= 0) return lines.splice(at, 1)[0]!
        await new Promise<void>((resolve) => {
          heard = resolve
        })
      }
    },
    end: async () => {
      child.stdin.end()
      if (child.exitCode === null) await once(child, 'exit')
      return child.exitCode
    },
  }
}
