import { homeOf, socketOf } from '../workspace/link/socket.ts'
import { askOf, talk } from './link/talk.ts'

/** Reads stdin to its end. */
const readStdin = async (): Promise<Uint8Array> => {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer)
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
  const ask = askOf(version, asksForStdin ? await readStdin() : null)
  // Help is not for the link, nor is what main.ts carries out here; that reads the command line.
  const isOwn =
    argv.length === 0 || ['--help', '-h', 'openclaw'].some((word) => argv.includes(word))
  const socket = isOwn ? null : socketOf(homeOf(process.env.CLAWLINK_HOME, ask.cwd))
  const ended = await talk(socket, ask)
  if (typeof ended === 'number') process.exitCode = ended
  else await (await import('./main.ts')).main(ask)
}

void run()
