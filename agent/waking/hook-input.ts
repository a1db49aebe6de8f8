import { fstatSync } from 'node:fs'
import { isatty } from 'node:tty'
import { sessionId } from './host-session.ts'

/** Input of a hook that is read, in bytes: hosts send the prompt with it. */
const MAX_BYTES = 4 * 1024 * 1024
/** Time in which a host has sent all of it, in milliseconds. */
const TIMEOUT_MS = 2_000

/** The fields of a host's JSON that are used here. */
export interface HookInput {
  session: string | null
  /** True if the agent goes on only because this hook said so. */
  isAgain: boolean
}

/** All of stdin, or as much of it as comes in time; empty at a keyboard. Never rejects. */
const readStdin = (): Promise<string> =>
  new Promise((resolve) => {
    try {
      if (isatty(0)) return resolve('')
      fstatSync(0)
    } catch {
      return resolve('') // closed
    }
    const chunks: Buffer[] = []
    let size = 0
    const end = (): void => {
      clearTimeout(timer)
      process.stdin.destroy()
      resolve(Buffer.concat(chunks).toString('utf8'))
    }
    const timer = setTimeout(end, TIMEOUT_MS)
    process.stdin.on('error', end)
    process.stdin.on('end', end)
    process.stdin.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > MAX_BYTES) end()
      else chunks.push(chunk)
    })
  })

const NONE: HookInput = { session: null, isAgain: false }

/** Reads a host's JSON; returns NONE for any other input. */
export const hookInputIn = (text: string): HookInput => {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return NONE
  }
  if (typeof value !== 'object' || value === null) return NONE
  const said = value as Record<string, unknown>
  const loops = said.loop_count
  return {
    // Cursor's names are the last two.
    session: sessionId(said.session_id ?? said.conversation_id),
    isAgain: said.stop_hook_active === true || (typeof loops === 'number' && loops > 0),
  }
}

export const readHookInput = async (): Promise<HookInput> => hookInputIn(await readStdin())
