import { join } from 'node:path'
import type { Ask } from '../client/resident/wire.ts'
import { write } from '../lib/disk/stdout.ts'
import { readArgs } from './verb-table/args.ts'

/** The exit code of a verb that is a program of its own; null: the command line is for main.ts. */
const run = async (ask: Ask): Promise<number | null> => {
  try {
    const args = readArgs(ask.argv)
    const { verb, has } = args
    const outside = verb?.outside
    if (outside === undefined || has.has('help')) return null
    if (outside.with !== undefined && !has.has(outside.with)) return null
    return await (await outside.load())(ask, args, join(__dirname, 'clawlink-agent-core.cjs'))
  } catch (error) {
    // A host takes a failure of its hook for something that the model must see.
    if (ask.argv[0] !== 'hook') return null
    await write(2, `error: ${(error as Error).message}\n`)
    return 0
  }
}

/**
 * Runs a verb that is a program of its own, and exits; returns where the command line is for main.ts. Hosts start such
 * verbs again and again: this file loads no more than they need.
 */
export const runOutside = async (ask: Ask): Promise<void> => {
  const code = await run(ask)
  if (code !== null) process.exit(code)
}
