import { isatty } from 'node:tty'
import { homeOf, socketOf } from '../workspace/link/socket.ts'
import { askOf, talk, write } from './link/talk.ts'

/** Reads stdin to its end; at a keyboard says so, and takes a join link when Enter ends it. */
const readStdin = async (isLink: boolean): Promise<Uint8Array> => {
  const isKeyboard = isatty(0)
  const end = isLink ? 'Paste the join link, then press Enter:' : 'Type the text, then Ctrl-D:'
  if (isKeyboard) await write(2, `${end}\n`)
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer)
    if (isKeyboard && isLink && (chunk as Buffer).includes('\n')) break
  }
  return Buffer.concat(chunks)
}

/** Gives the command line to the link. Everything else, and all that is slow to load, is in main.ts. */
const run = async (): Promise<void> => {
  const argv = process.argv.slice(2)
  const version = process.env.CLAWLINK_VERSION ?? 'unknown'
  if (argv.length === 1 && argv[0] === '--version') {
    process.stdout.write(`${version}\n`)
    return
  }
  const asksForStdin = argv.some((arg) => arg === '-' || arg.endsWith('=-'))
  const ask = askOf(version, asksForStdin ? await readStdin(argv.includes('join')) : null)
  // Help is not for the link, nor is what main.ts carries out here; that reads the command line.
  const isOwn =
    argv.length === 0 || ['--help', '-h', 'openclaw'].some((word) => argv.includes(word))
  const socket = isOwn ? null : socketOf(homeOf(process.env.CLAWLINK_HOME, ask.cwd))
  const ended = await talk(socket, ask)
  if (typeof ended === 'number') process.exitCode = ended
  else await (await import('./main.ts')).main(ask)
}

void run()
