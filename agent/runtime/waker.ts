import { spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { openHttp } from '../../lib/http.ts'
import { isFileNews } from '../../workspace/inbox/unread.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { FILE_HINT_GAP_MS, hintOf, hintText } from '../command/waiting.ts'
import type { Log } from '../session/log.ts'
import type { WorkspaceHandle } from '../session/workspace-handle.ts'

/** The settings for waking a profile's agent, stored in the profile's folder. */
export interface WakeSettings {
  /** Run by the shell, in `cwd`, with the hint as JSON on stdin. */
  command?: string
  cwd?: string
  /** As OpenClaw's /hooks/wake. */
  url?: string
  token?: string
}

const SETTINGS_FILE = 'wake.json'
/** The least time between two wake-ups, in milliseconds. */
const GAP_MS = 3_000
/** Time limit of a wake command and of a hook's answer, in milliseconds. */
const TIMEOUT_MS = 60_000
/**
 * Waits before the retries of a failed wake-up, in milliseconds; after the last one the next
 * message wakes.
 */
const RETRY_AFTER_MS: readonly number[] = [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 64_000]

export const saveWakeSettings = (profile: string, settings: WakeSettings | null): void => {
  const path = join(profile, SETTINGS_FILE)
  if (settings === null) rmSync(path, { force: true })
  else writeLocal(path, `${JSON.stringify(settings, null, 2)}\n`, 0o600)
}

export const readWakeSettings = (profile: string): WakeSettings | null => {
  try {
    return JSON.parse(readFileSync(join(profile, SETTINGS_FILE), 'utf8')) as WakeSettings
  } catch {
    return null
  }
}

/** Wakes an agent when its inbox has messages that arrived after the last wake-up. */
export class Waker {
  readonly #settings: WakeSettings
  readonly #handle: WorkspaceHandle
  readonly #log: Log
  readonly #ended = new AbortController()
  readonly #unlisten: () => void
  #hasNews = true
  #isWaking = false
  /** True if there is news of anything but files. */
  #isPressing = true
  /** Ends a quiet period when an urgent message arrives. */
  #hurry = new AbortController()
  /** News of files alone does not wake the agent before this time, in milliseconds since the epoch. */
  #quietUntil = 0

  private constructor(settings: WakeSettings, handle: WorkspaceHandle, log: Log) {
    this.#settings = settings
    this.#handle = handle
    this.#log = log
    this.#unlisten = handle.replica.onMessages((messages) => this.#onNews(messages))
    this.#onNews([])
  }

  /** A waker by the profile's settings; null without settings. */
  static of(profile: string, handle: WorkspaceHandle, log: Log): Waker | null {
    const settings = readWakeSettings(profile)
    return settings === null ? null : new Waker(settings, handle, log)
  }

  #onNews(messages: readonly Message[]): void {
    this.#hasNews = true
    if (messages.some((message) => !isFileNews(message))) {
      this.#isPressing = true
      this.#hurry.abort()
    }
    if (this.#isWaking) return
    this.#isWaking = true
    void this.#run()
      .catch((error: Error) => this.#log(`waking: ${error.message}`))
      .finally(() => {
        this.#isWaking = false
      })
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended
    for (let failures = 0; this.#hasNews && !signal.aborted; ) {
      this.#hasNews = false
      const { me, replica } = this.#handle
      if (me === null) return
      const waiting = await replica.inbox(me)
      if (waiting.length === 0) continue
      if (!this.#isPressing && Date.now() < this.#quietUntil) {
        await this.#rest()
        continue
      }
      this.#isPressing = false
      try {
        await this.#wake(hintOf(replica.doc, waiting))
        failures = 0
        if (waiting.some(({ message }) => isFileNews(message))) {
          this.#quietUntil = Date.now() + FILE_HINT_GAP_MS
        }
        await sleep(GAP_MS, null, { signal }).catch(() => {})
      } catch (error) {
        const wait = RETRY_AFTER_MS[failures++]
        this.#log(`waking failed (${failures}): ${(error as Error).message}`)
        if (wait === undefined) return
        this.#hasNews = true
        this.#isPressing = true
        await sleep(wait, null, { signal }).catch(() => {})
      }
    }
  }

  /** Waits until news of files may wake the agent, or an urgent message arrives. */
  async #rest(): Promise<void> {
    this.#hurry = new AbortController()
    const signal = AbortSignal.any([this.#ended.signal, this.#hurry.signal])
    await sleep(this.#quietUntil - Date.now(), null, { signal }).catch(() => {})
    this.#hasNews = true
  }

  async #wake(hint: ReturnType<typeof hintOf>): Promise<void> {
    const { command, cwd, url, token } = this.#settings
    if (command !== undefined) {
      await runCommand(command, cwd, JSON.stringify({ type: 'hint', ...hint }))
    }
    if (url === undefined) return
    const text = `ClawLink: ${hintText(hint)}. Run: clawlink-agent poll`
    await post(url, token, JSON.stringify({ text, mode: 'now' }))
  }

  close(): void {
    this.#unlisten()
    this.#ended.abort()
  }
}

const runCommand = (command: string, cwd: string | undefined, input: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, {
      shell: true,
      cwd: cwd || undefined,
      stdio: ['pipe', 'ignore', 'ignore'],
      timeout: TIMEOUT_MS,
    })
    child.once('error', reject)
    child.once('exit', (code, signal) =>
      code === 0 ? resolve() : reject(new Error(`${command}: ${signal ?? `exit ${code}`}`)),
    )
    child.stdin.on('error', () => {}) // the command may ignore its stdin
    child.stdin.end(`${input}\n`)
  })

/** Sends a wake-up to a hook. Rejects unless the hook answers with 2xx. */
const post = async (url: string, token: string | undefined, body: string): Promise<void> => {
  const answer = await openHttp(new URL(url), {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
    },
    body,
    timeoutMs: TIMEOUT_MS,
  })
  answer.destroy() // the status says all
  const { statusCode = 0 } = answer
  if (statusCode < 200 || statusCode > 299) throw new Error(`${url} answered ${statusCode}`)
}
