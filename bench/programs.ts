import { type ChildProcess, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const findRoot = (from: string): string =>
  existsSync(join(from, 'package.json')) ? from : findRoot(dirname(from))

/** The repository; this file runs as a bundle from below node_modules/.cache. */
export const root = findRoot(dirname(fileURLToPath(import.meta.url)))

/** NODE_EXTRA_CA_CERTS makes every start of Node 2–3 times slower. */
const { NODE_EXTRA_CA_CERTS: _slow, ...plainEnv } = process.env
export const childEnv: NodeJS.ProcessEnv = plainEnv

const leftovers: string[] = []
const living = new Set<ChildProcess>()
const strangers = new Set<number>()
const cleanUp = () => {
  for (const child of living) child.kill('SIGKILL')
  for (const pid of strangers) killProcess(pid, 'SIGKILL')
  for (const path of leftovers) rmSync(path, { recursive: true, force: true })
}
process.once('exit', cleanUp)
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    cleanUp()
    process.kill(process.pid, signal)
  })
}

/** Sends a signal to any process; false: it is gone. */
export const killProcess = (pid: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/** Has a process that is no child of this one killed when the benchmarks end, until the result is called. */
export const killAtEnd = (pid: number): (() => void) => {
  strangers.add(pid)
  return () => strangers.delete(pid)
}

const cacheDir = join(root, 'node_modules/.cache/clawlink')
let dist: string | null = null

/**
 * A built program of the package, by its name, or of the build whose dist/ CLAWLINK_BENCH_DIST names, to compare with;
 * in a copy, so that a build in the middle of a run changes nothing. Throws if there is none.
 */
export const program = (name: 'clawlink-sync' | 'clawlink-agent' | 'clawlink'): string => {
  const { bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    bin: Record<string, string>
  }
  const other = process.env.CLAWLINK_BENCH_DIST
  const built = other ? join(other, basename(bin[name]!)) : join(root, bin[name]!)
  if (!existsSync(built)) throw new Error(`there is no ${built}: npm run build`)
  if (dist === null) {
    dist = join(cacheDir, `bench-${process.pid}-dist`)
    leftovers.push(dist)
    cpSync(dirname(built), dist, { recursive: true })
  }
  return join(dist, basename(built))
}

const bundles = new Map<string, Promise<string>>()

/** Bundles a program of bench/ for `node`, once a run; its packages stay outside. */
export const bundle = (file: string): Promise<string> => {
  const known = bundles.get(file)
  if (known !== undefined) return known
  const outfile = join(cacheDir, `bench-${process.pid}-${basename(file, '.ts')}.mjs`)
  leftovers.push(outfile)
  const built = build({
    entryPoints: [join(root, 'bench', file)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20.19',
    packages: 'external',
    logLevel: 'warning',
  }).then(() => outfile)
  bundles.set(file, built)
  return built
}

/** A new empty folder; removed when the benchmarks end. */
export const tempDir = (): string => {
  const dir = mkdtempSync(join(tmpdir(), 'clawlink-bench-'))
  leftovers.push(dir)
  return dir
}

export interface ServerProcess {
  port: number
  pid: number
  /** The end of what it printed, for the case that something goes wrong. */
  output: () => string
  /** SIGTERM; resolves when it is gone, having stored what it has. */
  stop: () => Promise<void>
  /** SIGKILL at once; resolves when it is gone. */
  kill: () => Promise<void>
}

/** A server that takes longer to start is broken (ms). */
const START_LIMIT = 20_000

/** Characters of a server's output that are kept. */
const PRINTED_KEPT = 4_000

/** Starts `node …args` and resolves when it prints `http://127.0.0.1:PORT`. */
export const startServer = async (args: readonly string[]): Promise<ServerProcess> => {
  const child = spawn(process.execPath, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...childEnv, NODE_ENV: 'production' },
  })
  living.add(child)
  let printed = ''
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`no server after ${START_LIMIT} ms`)),
      START_LIMIT,
    )
    const read = (chunk: Buffer) => {
      printed = (printed + chunk).slice(-PRINTED_KEPT)
      const listening = /http:\/\/127\.0\.0\.1:(\d+)/.exec(printed)
      if (!listening) return
      clearTimeout(timer)
      resolve(Number(listening[1]))
    }
    child.stdout.on('data', read)
    child.stderr.on('data', read)
    child.once('exit', (code) => {
      clearTimeout(timer)
      reject(new Error(`a server exited with ${code} before it listened: ${printed}`))
    })
  })
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    living.delete(child)
  }
  return {
    port,
    pid: child.pid!,
    output: () => printed,
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
  }
}

export interface Worker<Job, Result> {
  run: (job: Job) => Promise<Result>
  close: () => Promise<void>
}

/** A process of its own for what must not share the benchmark's event loop: a job in, its result out. */
export const startWorker = async <Job, Result>(
  file: string,
  env: NodeJS.ProcessEnv = childEnv,
): Promise<Worker<Job, Result>> => {
  const child = fork(await bundle(file), { env })
  living.add(child)
  return {
    run: (job) =>
      new Promise<Result>((resolve, reject) => {
        const gone = () => reject(new Error(`${file} ended in the middle of a job`))
        child.once('exit', gone)
        child.once('message', (answer: { result: Result } | { error: string }) => {
          child.off('exit', gone)
          if ('error' in answer) reject(new Error(answer.error))
          else resolve(answer.result)
        })
        child.send(job as object)
      }),
    close: async () => {
      child.kill('SIGKILL')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      living.delete(child)
    },
  }
}

/** The worker's side of `startWorker`. */
export const serveJobs = <Job, Result>(work: (job: Job) => Promise<Result>): void => {
  process.on('message', (job: Job) => {
    work(job).then(
      (result) => process.send!({ result }),
      (error: Error) => process.send!({ error: String(error.stack ?? error) }),
    )
  })
}

/** A memory figure of a process in bytes: `VmRSS` is what it has now, `VmHWM` the most it had. Linux only. */
export const memoryOf = (pid: number, figure: 'VmRSS' | 'VmHWM'): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  const kilobytes = new RegExp(`^${figure}:\\s*(\\d+) kB$`, 'm').exec(status)?.[1]
  return Number(kilobytes) * 1024
}

/** Seconds of CPU, of all its threads, that a process has used so far; null where there is no /proc. */
export const cpuSeconds = (pid: number): number | null => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const TICKS_PER_SECOND = 100
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
  } catch {
    return null
  }
}
