import { connect } from 'node:net'
import { isatty } from 'node:tty'
import { workingDir } from '../../client/http/cwd.ts'
import { type Ask, clawlinkEnv, lineReader, newKey, type Say } from '../../client/resident/wire.ts'
import { isStdoutClosed, notPrinted, write } from '../../lib/disk/stdout.ts'

/**
 * The end of a command at the link: its exit code; `absent`: no link is running; `again`: the link
 * left before its answer, so the command goes to the next one.
 */
export type Ended = number | 'absent' | 'again'

/** The command line as it is given to a link. */
export const askOf = (version: string, stdin: Uint8Array | null): Ask => {
  const at = Date.now()
  return {
    version,
    argv: process.argv.slice(2),
    cwd: workingDir(),
    env: clawlinkEnv(),
    stdin: stdin === null ? null : Buffer.from(stdin).toString('base64'),
    terminal: isatty(1),
    progress: isatty(2),
    at,
    key: newKey(at),
  }
}

/** A message is redelivered unless it was printed completely. */
export const UNACKNOWLEDGED = '; nothing of this output is acknowledged'

/** The last words of a command that is ended by Ctrl-C; null: it has none. */
let lastWords: string | null = null

/** Has `line` printed on stderr should Ctrl-C end this process, which it does all the same. */
export const printIfStopped = (line: string): void => {
  if (lastWords === null) {
    process.once('SIGINT', () => {
      void write(2, `${isatty(2) ? '\n' : ''}${lastWords}\n`).then(() =>
        process.kill(process.pid, 'SIGINT'),
      )
    })
  }
  lastWords = line
}

/** Sends a command to the link at `path`, and prints its answer. */
export const sendCommand = (path: string | null, ask: Ask): Promise<Ended> =>
  new Promise((resolve) => {
    if (path === null) return resolve('absent')
    let told = false
    let isAnswered = false
    let ended: Ended | null = null
    /** Why stdout did not take all of it. */
    let failed: string | null = null
    let printing = Promise.resolve()
    const end = (how: Ended): void => {
      ended ??= how
      socket.destroy()
    }

    const print = async ({ out, err, ack, code, next, ...said }: Say): Promise<void> => {
      if (ended !== null) return
      if (said.ifStopped !== undefined) printIfStopped(said.ifStopped)
      if (next) return end('again')
      isAnswered ||= said.again === false
      if (out !== undefined) failed ??= await write(1, out)
      if (err !== undefined) await write(2, err)
      if (code === undefined && !ack) return
      // Output that stdout did not take stays unacknowledged: the link delivers it again.
      if (failed !== null) return end((await notPrinted(failed, UNACKNOWLEDGED)) || (code ?? 0))
      if (code !== undefined) return end(code)
      if (isStdoutClosed()) return end(0)
      socket.write('{"ack":true}\n')
    }
    const read = lineReader((line) => {
      const said = JSON.parse(line) as Say
      printing = printing.then(() => print(said))
    })

    const socket = connect(path, () => {
      told = true
      socket.write(`${JSON.stringify(ask)}\n`)
    })
    socket.setEncoding('utf8')
    socket.on('data', (chunk: string) => read(chunk))
    socket.on('error', () => {})
    socket.on('close', () => {
      void printing.then(async () => {
        if (ended !== null) return resolve(ended)
        if (!told) return resolve('absent')
        if (!isAnswered) return resolve('again')
        const what = 'the link stopped before it said that this is acknowledged'
        await write(2, `error: ${what} — what is handed out again has the same message_id\n`)
        resolve(6)
      })
    })
  })
