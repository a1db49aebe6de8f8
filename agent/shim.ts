import { homedir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { isatty } from 'node:tty'
import { socketOf } from '../client/resident/socket.ts'
import type { Ask } from '../client/resident/wire.ts'
import { notPrinted, write } from '../lib/disk/stdout.ts'
import { askOf, sendCommand } from './runtime/ipc-client.ts'

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

/** The link's socket; null if main.ts must find it, or must report its error. */
const socketAt = (): string | null => {
  try {
    const home = process.env.CLAWLINK_HOME || join(homedir(), '.clawlink')
    return isAbsolute(home) ? socketOf(resolve(home)) : null
  } catch {
    return null // no home folder
  }
}

/** Node 22 and later keep the compiled code of all that is loaded from here on. */
const keepCompiled = async (): Promise<void> => {
  const { default: module } = await import('node:module')
  ;(module as { enableCompileCache?: () => void }).enableCompileCache?.()
}

const runMain = async (ask: Ask): Promise<void> => {
  await keepCompiled()
  await (await import('./main.ts')).main(ask)
}

/** Serves MCP by the link that runs; without one main.ts starts it. */
const runMcp = async (ask: Ask): Promise<void> => {
  const path = socketAt()
  const { joinMcp, pipe } = await import('./mcp/pipe.ts')
  const opened = path === null ? 'absent' : await joinMcp(path, ask, false)
  if (typeof opened === 'string') return runMain(ask)
  process.exitCode = await pipe(opened, async () => (await import('./main.ts')).openMcp(ask, true))
}

/** Gives the command line to the link. Everything else, and all that is slow to load, is in main.ts. */
const run = async (): Promise<void> => {
  const argv = process.argv.slice(2)
  const line = argv.join(' ')
  const version = process.env.CLAWLINK_VERSION ?? 'unknown'
  if (line === '--version') {
    const failed = await write(1, `${version}\n`)
    if (failed !== null) process.exitCode = await notPrinted(failed)
    return
  }
  // `join` alone asks a person for the link.
  const isJoin = /^(--as \S+ )?join$/.test(line) && isatty(0) && !process.env.CLAWLINK_JOIN
  const asksForStdin = isJoin || argv.some((arg) => arg === '-' || arg.endsWith('=-'))
  const ask = askOf(version, asksForStdin ? await readStdin(argv.includes('join')) : null)
  if (/^mcp(?!\S)(?!.* -(-help|h)\b)/.test(line)) return runMcp(ask)
  // Help is not for the link, nor is what main.ts carries out here; that reads the command line.
  const isOwn =
    line === '' ||
    argv.some((word) => /^(--help|-h|openclaw|hosts|hook|mcp|--host(=.*)?)$/.test(word))
  if (argv.some((word) => /^(hook|--host(=.*)?)$/.test(word))) {
    await keepCompiled()
    await (await import('./outside.ts')).runOutside(ask)
  }
  const ended = await sendCommand(isOwn ? null : socketAt(), ask)
  if (typeof ended === 'number') process.exitCode = ended
  else await runMain(ask)
}

void run()
