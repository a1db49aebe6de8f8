import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { endLink } from '../../test/support/agent.ts'
import { atEnd } from '../../test/support/at-end.ts'
import { tempDir } from '../../test/support/server.ts'
import { binDir } from '../../test/support/transcript.ts'

/** A document that is written while its commands run: prose as it is given, and below each command what it really printed. */
export class Session {
  #text = ''
  #isInBlock = false
  readonly #base = tempDir('session')
  readonly #path = `${binDir()}:${process.env.PATH}`
  readonly #env: Record<string, string>

  readonly #person: string

  /** `env`: for all who work in it; `person`: the one who works with `clawlink`, too. */
  constructor(env: Record<string, string>, person: string) {
    this.#env = env
    this.#person = person
  }

  /** The environment of one who works in the session: a folder and an identity of their own. */
  envOf(who: string): Record<string, string> {
    const home = join(this.#base, who, 'home')
    // A person at a terminal is not the agent of the machine.
    const profile = who === this.#person ? 'me' : 'default'
    return { ...this.#env, CLAWLINK_HOME: home, CLAWLINK_AGENT: profile, PATH: this.#path }
  }

  say(text: string): void {
    this.#end()
    this.#text += `${text.trim()}\n\n`
  }

  picture(title: string, file: string): void {
    this.say(`![${title}](${file.replace(/^docs\//, '')})`)
  }

  /** Runs a command and shows it with its output, stderr included. Throws where it does not exit with `code`. */
  run(who: string, command: string, code = 0): string {
    const output = this.quietly(who, command, code)
    if (!this.#isInBlock) this.#text += '```console\n'
    this.#isInBlock = true
    this.#text += `${who}$ ${command}\n${output.replace(/\n*$/, output === '' ? '' : '\n')}`
    return output
  }

  /** Runs a command that the document does not show. */
  quietly(who: string, command: string, code = 0): string {
    const cwd = join(this.#base, who)
    if (mkdirSync(cwd, { recursive: true }) !== undefined) atEnd(() => endLink(join(cwd, 'home')))
    const env = { ...process.env, ...this.envOf(who) }
    const done = spawnSync('sh', ['-c', `(${command}) 2>&1`], { cwd, env, encoding: 'utf8' })
    if (done.status === code) return done.stdout
    throw new Error(`${who}$ ${command}\nexit ${done.status}, not ${code}\n${done.stdout}`)
  }

  get text(): string {
    this.#end()
    return this.#text
  }

  #end(): void {
    if (this.#isInBlock) this.#text += '```\n\n'
    this.#isInBlock = false
  }
}
