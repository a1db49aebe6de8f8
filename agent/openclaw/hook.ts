import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { openHttp } from '../../lib/http.ts'
import { ClawError, type ErrorBody } from '../../protocol/errors.ts'
import type { Profile } from '../command/profile.ts'
import { readWakeSettings } from '../runtime/waker.ts'
import { runOpenclaw, runProgram } from './run.ts'

/**
 * Settings that `openclaw install` made in a profile; `uninstall` reverts these and nothing else.
 */
const FILE = 'openclaw.json'
const DEFAULT_PORT = 18789
const TIMEOUT_MS = 10_000

/** The hook that this verb set; null if there is none. */
export const hookOf = ({ dir }: Profile): string | null => {
  try {
    const { hook } = JSON.parse(readFileSync(join(dir, FILE), 'utf8')) as { hook?: string }
    return hook !== undefined && readWakeSettings(dir)?.url === hook ? hook : null
  } catch {
    return null
  }
}

/** The URL at which this machine's gateway accepts wake-ups, by OpenClaw's settings. */
export const hookUrl = async (): Promise<string> => {
  const setting = async (name: string): Promise<unknown> => {
    const value = await runOpenclaw(['config', 'get', name, '--json']).catch(() => null)
    return value === '' ? null : value
  }
  const [port, path] = [await setting('gateway.port'), await setting('hooks.path')]
  const base = `/${String(path ?? 'hooks').replace(/^\/+|\/+$/g, '')}`
  return `http://127.0.0.1:${Number(port ?? DEFAULT_PORT)}${base}/wake`
}

/**
 * Sends an empty request with the token to the hook. Throws `not_allowed`, `openclaw_refused`,
 * `unreachable`.
 */
export const tryHook = async (url: string, token: string | undefined): Promise<void> => {
  if (!token) {
    const next = 'set CLAWLINK_HOOK_TOKEN to hooks.token of openclaw.json'
    throw new ClawError('not_allowed', `${url} wants a token`, next)
  }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const sent = { method: 'POST', headers, body: '{}', timeoutMs: TIMEOUT_MS }
  const answer = await openHttp(new URL(url), sent).catch(() => {
    throw new ClawError('unreachable', `${url} does not answer`, 'start it: openclaw gateway run')
  })
  answer.destroy()
  const { statusCode: status } = answer
  if (status === 400) return // it wants a text
  if (status === 401 || status === 429) {
    throw new ClawError(
      'not_allowed',
      `${url} does not take that token`,
      'CLAWLINK_HOOK_TOKEN must be hooks.token of openclaw.json',
    )
  }
  throw new ClawError(
    'openclaw_refused',
    `${url} answers ${status}`,
    'set hooks.enabled and hooks.token in openclaw.json, and restart its gateway',
  )
}

/**
 * Makes the link wake this profile's agent by that hook, or stops that; a configured command stays.
 */
export const setHook = async (profile: Profile, url: string | null): Promise<void> => {
  const { command, cwd } = readWakeSettings(profile.dir) ?? {}
  const also = command === undefined ? [] : ['--on-message', command]
  const args = ['--as', profile.name, 'up', '--hook', url ?? 'off', ...also, '--json']
  const ran = await runProgram(process.execPath, [process.argv[1]!, ...args], { cwd })
  if (!ran.ok) throw ClawError.fromBody((JSON.parse(ran.stdout) as { error: ErrorBody }).error)
  const file = join(profile.dir, FILE)
  if (url === null) rmSync(file, { force: true })
  else writeLocal(file, `${JSON.stringify({ hook: url })}\n`, 0o600)
}
