import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Y from 'yjs'
import { readFile } from '../../../../workspace/files/file-info.ts'
import { allFiles } from '../../../../workspace/files/tree.ts'
import { killLink, linkPid, registered } from '../../agent.ts'
import { seeded, stockClient, until } from '../../client.ts'
import { type Server, startServer, tempDir } from '../../server.ts'
import { differences } from '../tree.ts'
import { act, rulesOf } from './acts.ts'
import { Ledger, type Name } from './ledger.ts'
import {
  below,
  canMount,
  git,
  hide,
  isPublic,
  mount,
  mountSmall,
  publicTree,
  read,
  SECRET,
  type Side,
  unmount,
  write,
} from './side.ts'

/** How long the folders may take to become what they are to be (ms): what was not told of is found within 60 s. */
const QUIET_MS = 75_000
/** A side's disk where it is a small one (KiB). */
const SMALL_KIB = 1_024

export interface Torture {
  /** Operations on the two folders (count). */
  acts: number
  kills: number
  /** Markers that a slow tool may have written over: nobody knows whether they are to be there (count). */
  excused: number
  /** Files that both have in the end (count). */
  files: number
  /** What is not as it is to be. */
  faults: string[]
  /** What was done, in order. */
  trace: string[]
  /** Milliseconds from the last operation. */
  untilSame: number
}

const makeSide = async (
  name: Name,
  server: Server,
  ledger: Ledger,
  random: () => number,
): Promise<Side> => {
  const parent = tempDir(name)
  const dir = join(parent, 'tree')
  mkdirSync(dir)
  const agent = await registered(server.url, name)
  return {
    ...{ name, dir, agent, ledger, random, secrets: new Map(), trace: [] },
    ...{ hasGit: false, volume: null, isSmall: false },
  }
}

/** What is there before the mirrors begin; `a` has all of it. */
const furnish = async (a: Side, b: Side): Promise<void> => {
  if (canMount && below(a, 4) === 0) {
    const small = below(a, 2) === 0 ? a : b
    mountSmall(small.dir, SMALL_KIB)
    small.isSmall = true
  }
  const files = [
    ...Array.from({ length: 6 }, (_, i) => `src/${i}.md`),
    ...Array.from({ length: 3 }, (_, i) => `src/deep/${i}.md`),
    ...(below(a, 3) === 0 ? Array.from({ length: 30 }, (_, i) => `many/${i}.md`) : ['many/0.md']),
  ]
  const put = (side: Side, rel: string): void => {
    const marker = side.ledger.marker(side.name)
    write(side, rel, `${rel}\n${'line\n'.repeat(below(side, 12))}${marker}\n`)
    side.ledger.wrote(side.name, rel, marker)
  }
  for (const rel of files) put(a, rel)
  write(a, '.gitignore', [...rulesOf('a'), ...rulesOf('b'), ''].join('\n'))
  const owner = below(a, 2) === 0 ? a : b
  if (canMount && below(a, 2) === 0) {
    owner.volume = tempDir('volume')
    mount(owner.volume, join(owner.dir, 'vol'))
    put(owner, 'vol/0.md')
    put(owner, 'vol/1.md')
  }
  if (below(a, 4) > 0) await makeRepository(a)
  for (const side of [a, b]) hide(side, `.env.${SECRET}-${side.name}`)
  for (const side of [a, b]) hide(side, `${SECRET}-1.${side.name}-key`)
}

/** On `other` and `bare` some files differ and some are not there; `bare` has no .gitignore either. */
const makeRepository = async (side: Side): Promise<void> => {
  side.hasGit = true
  await git(side, 'init', '-q', '-b', 'main')
  writeFileSync(join(side.dir, '../excludes'), '*.everywhere\n')
  await git(side, 'config', 'core.excludesFile', join(side.dir, '../excludes'))
  writeFileSync(join(side.dir, '.git/info/exclude'), '*.excluded\n')
  await git(side, 'add', '-A', '--', 'src', 'many', '.gitignore')
  await git(side, 'commit', '-qm', 'main')
  for (const branch of ['other', 'bare']) {
    await git(side, 'checkout', '-q', '-b', branch, 'main')
    write(side, 'src/1.md', `${read(side, 'src/1.md')}of ${branch}\n`)
    await git(side, 'rm', '-q', 'src/2.md', ...(branch === 'bare' ? ['.gitignore'] : []))
    await git(side, 'commit', '-qam', branch)
  }
  await git(side, 'checkout', '-q', 'main')
}

/** Kills a link or the server from time to time until `isOver`; how often. */
const killing = async (
  sides: readonly Side[],
  server: { now: Server },
  random: () => number,
  isOver: () => boolean,
): Promise<number> => {
  let kills = 0
  while (!isOver()) {
    await new Promise((next) => setTimeout(next, 200 + random() * 1_200))
    if (isOver()) break
    kills++
    if (random() < 0.3) {
      const { data, port } = server.now
      await server.now.kill()
      server.now = await startServer({ data, port, args: ['--log-level', 'error'] })
      continue
    }
    const { agent } = sides[random() < 0.5 ? 0 : 1]!
    if (linkPid(agent.home) !== null) await killLink(agent.home)
    await agent.run('up')
  }
  return kills
}

interface Listed {
  mirrors: { skipped: { file_key: string; why: string }[]; stopped: string | null }[]
}

/** What of a side waits to be confirmed is: for all where all of it was meant to go, else it comes back. */
const decideGone = async (side: Side): Promise<void> => {
  const { mirrors } = await side.agent.ask<Listed>('mirror', '--list')
  const skipped = mirrors.flatMap((one) => one.skipped)
  const waiting = skipped.filter(({ why }) => why.includes('--confirm-deletions'))
  if (waiting.length === 0) return
  const isMeant = waiting
    .filter(({ file_key }) => isPublic(file_key))
    .every(({ file_key }) => side.ledger.isGone(file_key))
  if (!isMeant)
    for (const { file_key } of waiting)
      if (isPublic(file_key)) side.ledger.restored(side.name, file_key)
  await side.agent.ask('mirror', side.dir, isMeant ? '--confirm-deletions' : '--restore')
  side.trace.push(`${isMeant ? 'confirm' : 'restore'} ${waiting.length}`)
}

/** All that may not be, in what the sides and the document are now. */
const faultsOf = (a: Side, b: Side, doc: Y.Doc, ledger: Ledger): string[] => {
  const [one, other] = [publicTree(a), publicTree(b)]
  const shared = new Map(
    allFiles(doc).map(({ key }) => [key as string, readFile(doc, key).content]),
  )
  return [
    ...differences(one, other).map((rel) => `${rel} differs: ${why(one.get(rel), other.get(rel))}`),
    ...differences(one, shared).map((rel) => `${rel} is not what is shared`),
    ...ledger.faults(one),
    ...[a, b].flatMap((side) =>
      [...side.secrets]
        .filter(([rel, text]) => read(side, rel) !== text)
        .map(([rel]) => `${side.name} has not its ${rel} any more`),
    ),
  ]
}

const why = (one: string | undefined, other: string | undefined): string =>
  JSON.stringify([one, other].map((text) => text?.slice(0, 400) ?? null))

const leaksOf = (side: Side, theirs: Side): string[] =>
  [...theirs.secrets.keys()]
    .filter((rel) => !side.secrets.has(rel) && existsSync(join(side.dir, rel)))
    .map((rel) => `${rel} of ${theirs.name} is on the disk of ${side.name}`)

/**
 * Two agents mirror two folders in which, by the numbers that `seed` gives, tools, git, mounts, full disks and kills do what
 * they do. Kills and the disk have a say in it, too: a seed gives a run much like the one before, not the same.
 */
export const torture = async (seed: number, actsEach = 22): Promise<Torture> => {
  const random = seeded(seed)
  const data = tempDir('data')
  const server = { now: await startServer({ data, args: ['--log-level', 'error'] }) }
  const ledger = new Ledger()
  const a = await makeSide('a', server.now, ledger, seeded(seed * 7 + 1))
  const b = await makeSide('b', server.now, ledger, seeded(seed * 7 + 2))
  const sides = [a, b]
  const watcher = stockClient(server.now.sync)
  const faults: string[] = []
  watcher.doc.on('update', (update: Uint8Array) => {
    if (!Buffer.from(update).includes(SECRET)) return
    const at = Buffer.from(update).toString('latin1')
    faults.push(
      `a secret was shared: ${at.slice(Math.max(0, at.indexOf(SECRET) - 40)).slice(0, 100)}`,
    )
  })
  try {
    await furnish(a, b)
    for (const { agent, dir } of sides) await agent.ask('mirror', dir)
    let left = sides.length
    const work = async (side: Side): Promise<void> => {
      for (let i = 0; i < actsEach; i++) {
        await act(side)
        await new Promise((next) => setTimeout(next, below(side, 120)))
      }
    }
    const working = Promise.all(sides.map((side) => work(side).finally(() => left--)))
    const kills = await killing(sides, server, random, () => left === 0)
    await working
    const began = Date.now()
    for (const { agent } of sides) await agent.ask('up')
    await until(
      'nothing moves',
      () => differences(publicTree(a), publicTree(b)).length === 0,
      4_000,
    ).catch(() => {})
    for (const side of sides) await decideGone(side)
    const wrong = () => faultsOf(a, b, watcher.doc, ledger)
    await until('all is as it is to be', () => wrong().length === 0, QUIET_MS).catch(() => {})
    const untilSame = Date.now() - began
    for (const { agent } of sides) await agent.run('down')
    faults.push(...wrong(), ...leaksOf(a, b), ...leaksOf(b, a))
    const trace = sides.flatMap((side) => side.trace.map((line) => `${side.name} ${line}`))
    if (faults.length > 0) trace.push(...sides.map((side) => logOf(side)))
    return {
      ...{
        acts: 2 * actsEach,
        kills,
        excused: ledger.excused,
        files: publicTree(a).size,
        faults,
        untilSame,
      },
      trace: trace.sort((one, other) => (one.slice(2) < other.slice(2) ? -1 : 1)),
    }
  } finally {
    watcher.close()
    for (const side of sides) {
      if (linkPid(side.agent.home) !== null) await side.agent.run('down')
      if (side.volume !== null) unmount(join(side.dir, 'vol'))
      if (side.isSmall) unmount(side.dir)
    }
    await server.now.stop()
  }
}

const logOf = (side: Side): string => {
  try {
    const text = readFileSync(join(side.agent.home, 'link.log'), 'utf8')
    const waits = /it is gone here, with over.*\n/
    return `${side.name} log: ${text
      .split('\n')
      .filter((line) => !waits.test(`${line}\n`))
      .join('\n')}`
  } catch {
    return `${side.name} has no log`
  }
}
