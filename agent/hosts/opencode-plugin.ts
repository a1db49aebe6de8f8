/**
 * The plugin file for opencode, which runs in its process and has no import but Node's. It tells a session what is
 * unread, and starts a turn in the session that was last used when a hint arrives. A hint is kept until a turn began.
 */
export const opencodePluginText = (launcher: string): string =>
  PLUGIN.replace('%LAUNCHER%', () => JSON.stringify(launcher))

const PLUGIN = `// Written by: clawlink-agent hosts install opencode
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

const launcher = %LAUNCHER%
/** A turn that did not begin by then (milliseconds) is asked for again. */
const TURN_MS = 10_000
/** Before a watcher that ended is started again (milliseconds): doubled each time, up to the second one. */
const RESTART_MS = 5_000
const MAX_RESTART_MS = 300_000

const env = { ...process.env, CLAWLINK_HOST_PID: String(process.pid) }

/** Runs a hook of ClawLink; never rejects. */
const hook = (event, input) =>
  new Promise((resolve) => {
    const child = spawn(launcher, ['hook', 'opencode', event], { timeout: 30_000, env })
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', (chunk) => (stdout += chunk))
    child.stderr.on('data', (chunk) => (stderr += chunk))
    child.stdin.on('error', () => {})
    child.on('error', () => resolve({ code: null, stdout: '', stderr: '' }))
    child.on('close', (code) => resolve({ code, stdout: stdout.trim(), stderr: stderr.trim() }))
    child.stdin.end(JSON.stringify({ hook_event_name: event, ...input }))
  })

export const ClawLink = async ({ client, directory }) => {
  /** The main session that was used last; sessions of subagents have a parent. */
  let session = null
  const subagents = new Set()
  const begun = new Set()
  let pending = null
  let isBusy = false
  let isOurs = false
  let timer = null
  let isClosed = false

  const ask = async (text) => {
    isOurs = true
    const parts = [{ type: 'text', text, synthetic: true }]
    try {
      const { error } = await client.session.promptAsync({ path: { id: session }, body: { parts } })
      return error === undefined
    } catch {
      return false
    }
  }

  /** Starts a turn for the hint that waits, if a session is idle. */
  const wake = async () => {
    if (pending === null || session === null || isBusy || timer !== null) return
    timer = setTimeout(() => {
      timer = null
      void wake()
    }, TURN_MS)
    timer.unref?.()
    await ask(pending)
  }

  const onBusy = () => {
    isBusy = true
    if (!isOurs || timer === null) return
    clearTimeout(timer)
    timer = null
    pending = null
  }

  const onIdle = async () => {
    isBusy = false
    const stopped = { session_id: session, cwd: directory, stop_hook_active: isOurs }
    isOurs = false
    if (pending !== null) return wake()
    const { code, stderr } = await hook('stop', stopped)
    if (code === 2 && stderr !== '' && !isBusy) await ask(stderr)
  }

  let watcher = null
  let restart = RESTART_MS
  const watch = () => {
    if (isClosed) return
    watcher = spawn(launcher, ['watch', '--hints', '--host', 'opencode'], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env,
    })
    watcher.stdin.on('error', () => {})
    createInterface({ input: watcher.stdout }).on('line', (line) => {
      if (line.trim() === '') return
      restart = RESTART_MS
      pending = line
      void wake()
    })
    watcher.on('error', () => {})
    watcher.on('close', () => {
      watcher = null
      setTimeout(watch, restart).unref?.()
      restart = Math.min(2 * restart, MAX_RESTART_MS)
    })
  }
  watch()
  const close = () => {
    isClosed = true
    watcher?.kill()
  }
  process.once('exit', close)

  return {
    dispose: async () => close(),
    config: async (config) => {
      config.mcp ??= {}
      config.mcp.clawlink ??= { type: 'local', command: [launcher, 'mcp'], enabled: true }
    },
    'chat.message': async ({ sessionID }, { parts }) => {
      if (subagents.has(sessionID)) return
      session = sessionID
      const last = parts.at(-1)
      // Its own messages, which wake, are synthetic.
      if (parts.every(({ synthetic }) => synthetic === true)) return
      const input = { session_id: sessionID, cwd: directory }
      const event = begun.has(sessionID) ? 'prompt' : 'session-start'
      begun.add(sessionID)
      const { code, stdout } = await hook(event, input)
      if (code !== 0 || stdout === '') return
      const { messageID } = last
      parts.push({
        id: last.id + 'c',
        ...{ sessionID, messageID, type: 'text', text: stdout, synthetic: true },
      })
    },
    event: async ({ event: { type, properties = {} } }) => {
      const info = properties.info ?? {}
      if (type === 'session.created' || type === 'session.updated') {
        if (info.parentID) subagents.add(info.id)
        else if (type === 'session.created') {
          session = info.id
          await wake()
        }
        return
      }
      const id = properties.sessionID ?? info.id
      if (id === undefined || subagents.has(id)) return
      if (type === 'session.status' && properties.status?.type === 'busy') {
        session = id
        onBusy()
      } else if (type === 'session.idle') {
        session = id
        await onIdle()
      } else if (type === 'session.deleted') {
        begun.delete(id)
        if (session === id) session = null
        await hook('session-end', { session_id: id, cwd: directory })
      }
    },
  }
}
`
