import type { Home } from './home.ts'

/** One kind of host that runs in a terminal: its package, its settings, its screen. */
export interface Kind {
  name: string
  /** On npm. */
  package: string
  version: string
  /** What is typed to open a session. */
  program: string
  /** What the screen shows when it waits for a prompt. */
  ready: RegExp
  /** A question of a first start, and the keys that answer it. */
  question?: { asks: RegExp; keys: string[] }
  /** Writes settings as its person would have them, with the scripted model at `url`. */
  setUp: (home: Home, url: string) => void
  env: (url: string) => Record<string, string>
  /** Ends what outlives the terminal. */
  end?: (home: Home) => Promise<void>
}
