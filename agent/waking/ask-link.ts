import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Ask, lineReader, type Say } from '../../client/resident/wire.ts'

/** A command that a link carries out for a program which is not the command itself. */
export interface Asked {
  /** Resolves to the exit code; null if the link ended before it, or there is none. */
  ended: Promise<number | null>
  stop: () => void
}

/** Longest output of a command that is read, in characters: a page of `prime` is under 4,000. */
const MAX_CHARACTERS = 1_000_000

/** Gives a command to the link at `socket`, and passes on its output piece by piece. */
export const askLink = (socket: string, ask: Ask, onPrinted: (out: string) => void): Asked => {
  let code: number | null = null
  let length = 0
  const connection = connect(socket, () => connection.write(`${JSON.stringify(ask)}\n`))
  const read = lineReader((line) => {
    const said = JSON.parse(line) as Say
    if (said.out !== undefined) onPrinted(said.out)
    if (said.ack) connection.write('{"ack":true}\n')
    if (said.code !== undefined) code = said.code
    if (said.code !== undefined || said.next) connection.destroy()
  })
  connection.setEncoding('utf8')
  connection.on('data', (chunk: string) => {
    length += chunk.length
    try {
      if (length > MAX_CHARACTERS) throw new Error('too much')
      read(chunk)
      if (chunk.includes('\n')) length = 0
    } catch {
      connection.destroy() // another program listens there
    }
  })
  connection.on('error', () => {}) // and closes
  return {
    ended: new Promise((resolve) => connection.on('close', () => resolve(code))),
    stop: () => connection.destroy(),
  }
}

/** The output of a command and its exit code; null if no link answered within `timeoutMs`. */
export const answerOf = async (
  socket: string,
  ask: Ask,
  timeoutMs: number,
): Promise<{ code: number; out: string } | null> => {
  let out = ''
  const asked = askLink(socket, ask, (text) => {
    out += text
  })
  const timer = setTimeout(asked.stop, timeoutMs)
  const code = await asked.ended
  clearTimeout(timer)
  return code === null ? null : { code, out }
}

/** The version of the link that runs; `own` where that is unknown. A link of another version is left as it is. */
export const versionAt = (home: string, own: string): string => {
  try {
    const { version } = JSON.parse(readFileSync(join(home, 'link.json'), 'utf8')) as {
      version?: unknown
    }
    return typeof version === 'string' ? version : own
  } catch {
    return own
  }
}
