import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { registered } from '../agent.ts'
import { until } from '../client.ts'
import { startServer, tempDir } from '../server.ts'
import { writer } from './members.ts'
import { differences, isSame, markersIn, treeOf } from './tree.ts'

export interface CheckoutRun {
  files: number
  /** Marker lines that the editors inserted in the one folder while the other was checked out (count). */
  edits: number
  /** Files of the branch that differ from the first one's: changed, removed, new (count). */
  changed: number
  /** Those of them that came back, as an editor had changed them (count). */
  back: number
  /** Markers that are not there exactly once; paths that differ; paths whose other lines are not the branch's. */
  lost: string[]
  different: string[]
  wrong: string[]
  /** Milliseconds. */
  firstMirror: number
  secondMirror: number
  untilSame: number
}

const MARKER = /<[a-z]+-\d+>\n?/g
/** The whole run takes no longer (ms). */
const LIMIT_MS = 300_000

const git = (dir: string, ...args: string[]): string =>
  execFileSync('git', ['-C', dir, '-c', 'user.name=t', '-c', 'user.email=t@t', ...args], {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
  })

const pathOf = (i: number): string => `src/part${i % 20}/sub${i % 3}/file${i}.md`
const textOf = (i: number, branch: string): string =>
  Array.from({ length: 30 }, (_, line) =>
    line % 10 === 3 ? `${branch} of ${i}, line ${line}\n` : `file ${i}, line ${line}\n`,
  ).join('')

/** A repository with `count` files on `main`; on `other` a third of them differ, a tenth is gone, a tenth is new. */
const makeRepository = (dir: string, count: number): Set<string> => {
  const changed = new Set<string>()
  const write = (i: number, branch: string): void => {
    mkdirSync(dirname(join(dir, pathOf(i))), { recursive: true })
    writeFileSync(join(dir, pathOf(i)), textOf(i, branch))
  }
  git(dir, 'init', '-q', '-b', 'main')
  for (let i = 0; i < count; i++) write(i, 'main')
  git(dir, 'add', '-A')
  git(dir, 'commit', '-qm', 'main')
  git(dir, 'checkout', '-qb', 'other')
  for (let i = 0; i < count; i++) {
    if (i % 3 === 0) write(i, 'other')
    else if (i % 10 === 1) git(dir, 'rm', '-q', pathOf(i))
    else continue
    changed.add(pathOf(i))
  }
  for (let i = count; i < count * 1.1; i++) {
    write(i, 'other')
    changed.add(pathOf(i))
  }
  git(dir, 'add', '-A')
  git(dir, 'commit', '-qm', 'other')
  git(dir, 'checkout', '-q', 'main')
  return changed
}

const branchTree = (dir: string, branch: string): Map<string, string> => {
  const paths = git(dir, 'ls-tree', '-r', '--name-only', branch).split('\n').filter(Boolean)
  return new Map(paths.map((path) => [path, git(dir, 'show', `${branch}:${path}`)]))
}

/**
 * Two agents mirror two folders, the first a checkout of `count` files; then another branch is checked out there, while
 * editors work on the files of the other folder: before, meanwhile and after.
 */
export const checkoutRun = async (count: number, seed: number): Promise<CheckoutRun> => {
  const server = await startServer({ args: ['--log-level', 'error'] })
  const [one, two] = [await registered(server.url, 'One'), await registered(server.url, 'Two')]
  const [a, b] = [tempDir('a'), tempDir('b')]
  const changed = makeRepository(a, count)
  const [main, other] = [branchTree(a, 'main'), branchTree(a, 'other')]
  const began = performance.now()
  await one.ask('mirror', a)
  const firstMirror = performance.now() - began
  await two.ask('mirror', b)
  const secondMirror = performance.now() - began - firstMirror
  await until('the second folder has everything', () => isSame(a, b), LIMIT_MS)

  const kept = [...main.keys()].filter((path) => !changed.has(path))
  const touched = [...main.keys()].filter((path) => changed.has(path))
  const edits = Math.max(30, Math.floor(count / 10))
  const options = { edits, pause: 8 }
  const keeping = writer(b, kept, { ...options, name: 'kept', seed })
  const checkout = spawn('git', ['-C', a, 'checkout', '-q', 'other'], { stdio: 'inherit' })
  const ended = once(checkout, 'exit')
  // Before git writes it makes sure that nobody has changed a file of these: editors of those begin when it has.
  const first = join(a, touched[0]!)
  const before = main.get(touched[0]!)
  const hasBegun = () => {
    try {
      return readFileSync(first, 'utf8') !== before
    } catch {
      return true // git removes a file before it writes it
    }
  }
  await until('git writes', () => checkout.exitCode !== null || hasBegun())
  const touching = writer(b, touched, { ...options, name: 'touched', seed: seed + 1 })
  const [code] = (await ended) as [number]
  if (code !== 0) throw new Error(`git checkout ended with ${code}`)
  const markers = [...(await keeping), ...(await touching)]
  const edited = performance.now()

  const lostNow = () => {
    const counts = markersIn(treeOf(a))
    return markers.filter((marker) => counts.get(marker) !== 1)
  }
  const wrongNow = () => {
    const tree = treeOf(a)
    return [...new Set([...tree.keys(), ...other.keys()])].filter((path) => {
      const text = tree.get(path)?.replace(MARKER, '')
      if (other.has(path)) return text !== other.get(path)
      // Removed and edited, it is back; an append after its removal has made it anew.
      return text !== main.get(path) && text !== ''
    })
  }
  await until(
    'both are the same',
    () => isSame(a, b) && lostNow().length === 0 && wrongNow().length === 0,
    LIMIT_MS / 5,
  ).catch(() => {}) // what is wrong is said below
  const untilSame = performance.now() - edited
  const tree = treeOf(a)
  const run = {
    files: count,
    edits: markers.length,
    changed: changed.size,
    back: [...tree.keys()].filter((path) => !other.has(path)).length,
    lost: lostNow(),
    different: differences(tree, treeOf(b)),
    wrong: wrongNow(),
    firstMirror,
    secondMirror,
    untilSame,
  }
  await one.run('down')
  await two.run('down')
  await server.stop()
  return run
}
