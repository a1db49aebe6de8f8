import { setTimeout as sleep } from 'node:timers/promises'
import { until } from '../../support/client.ts'
import { openTerminal } from '../../support/terminal.ts'
import { type Home, inHome } from './home.ts'
import type { Kind } from './kind.ts'
import type { Model } from './model/scripted-model.ts'

/** Columns and rows of the terminals. */
const SCREEN = [120, 40] as const
/** The first start of a host sets itself up, on a busy machine. */
const START_MS = 120_000
/** A session is idle after no request of its model for this long (ms). */
export const IDLE_MS = 1_500
const LOOK_MS = 50
/** A host that starts may ask something after it has shown its prompt, within this time (ms). */
const SETTLE_MS = 5_000

/** An open session of a host, whose model is known by `name`. */
export interface Session {
  name: string
  kind: string
  home: Home
  /** Types a prompt; resolves once a turn has begun. */
  prompt: (text: string) => Promise<void>
  screen: () => string
  close: () => Promise<void>
}

/** Opens a host in a terminal, and leaves it idle after a first turn, whose tools may take `busy` ms. */
export const openSession = async (
  kind: Kind,
  { home, name, model, busy = 0 }: { home: Home; name: string; model: Model; busy?: number },
): Promise<Session> => {
  const terminal = openTerminal(...SCREEN)
  const screen = () => terminal.screen().join('\n')
  const prompt = async (text: string) => {
    const requests = model.requests.get(name)
    const turns = () => model.turns.filter(({ session }) => session === name).length
    const before = turns()
    terminal.type(text)
    const begun = async () => {
      // Hosts take a line and its end that come together for pasted text.
      await sleep(IDLE_MS)
      if (model.requests.get(name) === requests) terminal.press('Enter')
      return turns() > before
    }
    await until(`${name} took a prompt`, begun, START_MS)
  }
  const close = async () => {
    terminal.close()
    await kind.end?.(home)
  }
  try {
    terminal.type(inHome(home, kind.program, kind.env(model.url(name))))
    terminal.press('Enter')
    let since = performance.now()
    await until(
      `${name} waits for a prompt`,
      async () => {
        await sleep(LOOK_MS)
        const isAsked = kind.question?.asks.test(screen())
        for (const key of isAsked ? kind.question!.keys : []) {
          terminal.press(key)
          await sleep(IDLE_MS)
        }
        if (isAsked || !kind.ready.test(screen())) since = performance.now()
        return performance.now() - since > SETTLE_MS
      },
      START_MS,
    )
    await prompt('hello')
    await idle(model, name, IDLE_MS + busy)
  } catch (error) {
    const shown = screen()
    await close()
    throw new Error(`${(error as Error).message}\n${shown}`)
  }
  return { name, kind: kind.name, home, prompt, screen, close }
}

/** Resolves once that session's model has had no request for a while. */
export const idle = async (model: Model, name: string, ms = IDLE_MS): Promise<void> => {
  let since = performance.now()
  let seen = model.requests.get(name)
  while (performance.now() - since < ms) {
    await sleep(LOOK_MS)
    if (model.requests.get(name) === seen) continue
    seen = model.requests.get(name)
    since = performance.now()
  }
}
