import type { HookEvent, HookHost } from './names.ts'

/** The output and exit code of a hook. */
export interface HookAnswer {
  stdout: string
  stderr: string
  code: 0 | 2
}

const NOTHING: HookAnswer = { stdout: '', stderr: '', code: 0 }
const printed = (value: object): HookAnswer => ({
  ...NOTHING,
  stdout: `${JSON.stringify(value)}\n`,
})

const GEMINI_NAMES = { 'session-start': 'SessionStart', prompt: 'BeforeAgent' } as const

/** Gemini CLI takes JSON only, and an agent whose answer is denied goes on with the reason. */
const gemini = (event: HookEvent, text: string | null): HookAnswer => {
  if (text === null) return printed({})
  if (event === 'stop') return printed({ decision: 'deny', reason: text })
  if (event !== 'session-start' && event !== 'prompt') return printed({ systemMessage: text })
  const hookEventName = GEMINI_NAMES[event]
  return printed({ hookSpecificOutput: { hookEventName, additionalContext: text } })
}

const cursor = (event: HookEvent, text: string | null): HookAnswer => {
  const goOn = event === 'prompt' ? { continue: true } : {}
  if (text === null) return printed(goOn)
  return printed(
    event === 'stop' ? { followup_message: text } : { ...goOn, additional_context: text },
  )
}

/** The answer in the host's own form; `text`: what its session is to read, or null. */
export const hookAnswer = (host: HookHost, event: HookEvent, text: string | null): HookAnswer => {
  if (event === 'take') return { ...NOTHING, stdout: text === null ? '' : `${text}\n` }
  if (host === 'gemini') return gemini(event, text)
  if (host === 'cursor') return cursor(event, text)
  if (text === null) return NOTHING
  // With exit 2 of these the host goes on and reads stderr.
  if (event === 'stop' || event === 'wake') return { ...NOTHING, stderr: `${text}\n`, code: 2 }
  return { ...NOTHING, stdout: `${text}\n` }
}
