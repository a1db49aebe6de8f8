import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { until } from '../client.ts'
import { ownPort, tempDir } from '../server.ts'
import type { Programs } from './openclaw-programs.ts'

/** The name of the scripted model. */
export const MODEL = 'script-1'
/** A call of OpenClaw may load all of it first. */
const START_MS = 300_000

/** One OpenClaw as on a machine of its own: a home, a workspace, a gateway. */
export interface Instance {
  name: string
  home: string
  workspace: string
  /** Runs a program there as its person would; what it printed. Throws if it fails, unless that is expected. */
  run: (
    program: string,
    args: readonly string[],
    more?: { fails?: true; cwd?: string },
  ) => Promise<string>
  startGateway: () => Promise<void>
  stop: () => Promise<void>
}

export interface InstanceOptions {
  name: string
  programs: Programs
  modelUrl: string
  /** Merged into its configuration. */
  config?: object
  env?: Record<string, string>
}

export const newInstance = async (options: InstanceOptions): Promise<Instance> => {
  const { name, programs, modelUrl, config = {}, env: more = {} } = options
  const home = tempDir(`openclaw-${name}`)
  const workspace = join(home, 'workspace')
  const port = await ownPort()
  mkdirSync(join(home, '.openclaw'), { recursive: true })
  mkdirSync(workspace)
  const cost = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 }
  const model = { id: MODEL, name: 'Script', reasoning: false, input: ['text'], cost }
  const settings = {
    gateway: {
      ...{ mode: 'local', bind: 'loopback', port },
      auth: { mode: 'token', token: `gateway-${name}` },
    },
    agents: {
      defaults: {
        workspace,
        skipBootstrap: true,
        model: { primary: `script/${MODEL}` },
        heartbeat: { every: '0m' },
      },
    },
    models: {
      mode: 'replace',
      providers: {
        script: {
          ...{ baseUrl: modelUrl, apiKey: `key-${name}`, api: 'openai-completions' },
          models: [{ ...model, contextWindow: 200_000, maxTokens: 8192 }],
        },
      },
    },
    logging: { file: join(home, 'openclaw.log') },
    ...config,
  }
  writeFileSync(join(home, '.openclaw/openclaw.json'), JSON.stringify(settings, null, 2))

  const env = { PATH: programs.path, HOME: home, LANG: 'C.UTF-8', TMPDIR: home, ...more }
  let gateway: ChildProcess | null = null
  let said = ''
  const run: Instance['run'] = async (program, args, { fails, cwd = workspace } = {}) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => (out += chunk))
    child.stderr.on('data', (chunk) => (err += chunk))
    const [code] = (await once(child, 'close')) as [number | null]
    if ((code !== 0) !== (fails === true)) {
      throw new Error(`${name}: ${program} ${args.join(' ')}: ${code}\n${out}${err}`)
    }
    return fails ? out + err : out
  }
  return {
    ...{ name, home, workspace, run },
    startGateway: async () => {
      const child = spawn('openclaw', ['gateway', 'run'], {
        cwd: home,
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      gateway = child
      for (const stream of [child.stdout, child.stderr]) {
        stream.on('data', (chunk) => (said += String(chunk)))
      }
      await until(
        `${name}'s gateway is ready`,
        () => {
          if (child.exitCode !== null) throw new Error(`${name}'s gateway ended:\n${said}`)
          return /\] ready$/m.test(stripVTControlCharacters(said))
        },
        START_MS,
      )
    },
    stop: async () => {
      if (gateway !== null && gateway.exitCode === null) {
        gateway.kill('SIGTERM')
        await once(gateway, 'exit')
      }
      await run('clawlink-agent', ['down'])
    },
  }
}
