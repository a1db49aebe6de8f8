import { appendFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { tempDir } from '../../server.ts'
import { append, chmod, create, edit, move, remove, wipe } from './saves.ts'
import {
  below,
  byTools,
  canMount,
  git,
  hide,
  mount,
  oneOf,
  pause,
  read,
  SECRET,
  type Side,
  unmount,
  write,
} from './side.ts'

/** Does something in a folder; gives what that was. */
type Act = (side: Side) => Promise<string>

/** The rules by which the secrets of a side are ignored; the other side takes them out. */
export const rulesOf = (side: 'a' | 'b'): string[] => [`*.${side}-key`, `${side}-private/`]

/** Names of files that stay where they are: by the shared rules, by git's own, and by what they are called. */
const secretNames = ({ name, hasGit }: Side): string[] => [
  `${SECRET}-1.${name}-key`,
  `sub/${SECRET}-2.${name}-key`,
  `${name}-private/${SECRET}-3.md`,
  `.env.${SECRET}-${name}`,
  ...(hasGit ? [`${SECRET}-4.excluded`, `sub/${SECRET}-5.everywhere`] : []),
]

const secret: Act = async (side) => {
  const rel = oneOf(side, secretNames(side))
  hide(side, rel)
  return `secret ${rel}`
}

/** A rule, and at once a file that it is about; in a folder that may be new. */
const ruleAndSecret: Act = async (side) => {
  const n = below(side, 1e6)
  const at = oneOf(side, [`sec-${n}/.gitignore`, `sec/${side.name}/.gitignore`, '.clawlinkignore'])
  const file = `${SECRET}-${n}.x${n}`
  write(side, at, `${read(side, at) ?? ''}*.x${n}\n`)
  const folder = at.includes('/') ? at.slice(0, at.lastIndexOf('/') + 1) : ''
  hide(side, `${folder}${file}`)
  return `rule and ${folder}${file}`
}

const excludeAndSecret: Act = async (side) => {
  if (!side.hasGit) return 'no git'
  const n = below(side, 1e6)
  const where = oneOf(side, ['.git/info/exclude', '../excludes'])
  appendFileSync(join(side.dir, where), `*.e${n}\n`)
  hide(side, `${oneOf(side, ['', 'src/', `fresh-${n}/`])}${SECRET}-${n}.e${n}`)
  return `${where} and secret e${n}`
}

/** A rule file that is empty, or away, for a moment, as while it is saved. */
const gap: Act = async (side) => {
  const files = ['.gitignore', '.clawlinkignore', ...(side.hasGit ? ['.git/info/exclude'] : [])]
  const rel = oneOf(side, files)
  const text = read(side, rel)
  if (text === null) return 'no rules'
  if (below(side, 2) === 0) writeFileSync(join(side.dir, rel), '')
  else rmSync(join(side.dir, rel))
  await pause(side, 400)
  writeFileSync(join(side.dir, rel), text)
  return `gap in ${rel}`
}

const comment: Act = async (side) => {
  if (read(side, '.gitignore') === null) return 'no rules'
  appendFileSync(join(side.dir, '.gitignore'), `# ${side.name}\n`)
  return 'comment in .gitignore'
}

/** Takes out what the other side ignores; there that lets nothing through. */
const letOut: Act = async (side) => {
  const text = read(side, '.gitignore')
  if (text === null) return 'no rules'
  const theirs = rulesOf(side.name === 'a' ? 'b' : 'a')
  const lines = text.split('\n').filter((line) => !theirs.includes(line))
  write(side, '.gitignore', [...lines.filter(Boolean), `!*.${theirs[0]!.slice(2)}`, ''].join('\n'))
  return 'their rules out of .gitignore'
}

const removeRules: Act = async (side) => {
  rmSync(join(side.dir, '.gitignore'), { force: true })
  return 'remove .gitignore'
}

/** Makes a rule file that is gone again, with the own rules only. */
const ownRules: Act = async (side) => {
  if (read(side, '.gitignore') !== null) return 'rules are there'
  write(side, '.gitignore', `${rulesOf(side.name).join('\n')}\n`)
  return 'own .gitignore'
}

const commit = async (side: Side): Promise<void> => {
  await git(side, 'checkout', '-q', 'HEAD', '--', '.gitignore')
  await git(side, 'add', '-A', '--', 'src', 'many')
  await git(side, 'commit', '-qm', 'work')
}

const switchTo = async (side: Side, branch: string): Promise<void> => {
  await commit(side)
  await byTools(side, () => git(side, 'checkout', '-q', branch))
}

const checkout: Act = async (side) => {
  const branches = [0, 0].map(() => oneOf(side, ['main', 'other', 'bare']))
  await switchTo(side, branches[0]!)
  await pause(side, 600)
  if (below(side, 2) === 0) return `checkout ${branches[0]}`
  await switchTo(side, branches[1]!)
  return `checkout ${branches}`
}

const stash: Act = async (side) => {
  await byTools(side, () => git(side, 'stash', '-q'))
  await pause(side, 400)
  await byTools(side, async () => {
    if (await git(side, 'stash', 'pop', '-q')) return
    await git(side, 'reset', '-q', '--hard')
    await git(side, 'stash', 'drop', '-q')
  })
  return 'stash'
}

const rebase: Act = async (side) => {
  await commit(side)
  await byTools(side, async () => {
    if (await git(side, 'rebase', '-q', oneOf(side, ['main', 'other']))) return
    await git(side, 'rebase', '--abort')
  })
  return 'rebase'
}

/** While it lasts files are away that nobody deletes; then git writes those that were deleted and not committed, too. */
const sparse: Act = async (side) => {
  await byTools(side, async () => {
    await git(side, 'sparse-checkout', 'set', oneOf(side, ['src', 'many']))
    // Git itself removes ignored files from the folders that it leaves out.
    for (const rel of side.secrets.keys()) if (read(side, rel) === null) side.secrets.delete(rel)
    await pause(side, 1_200)
    await git(side, 'sparse-checkout', 'disable')
  })
  return 'sparse'
}

const worktree: Act = async (side) => {
  const name = `wt-${below(side, 1e6)}`
  await byTools(side, () => git(side, 'worktree', 'add', '-q', '--detach', name))
  await pause(side, 1_000)
  await byTools(side, () => git(side, 'worktree', 'remove', '--force', name))
  return `worktree ${name}`
}

const submodule: Act = async (side) => {
  if (read(side, 'module/m.md') !== null) return 'there is one'
  const from = tempDir('module')
  const source = { ...side, dir: from }
  const marker = side.ledger.marker(side.name)
  await git(source, 'init', '-q')
  write(source, 'm.md', `module\n${marker}\n`)
  await git(source, 'add', '-A')
  await git(source, 'commit', '-qm', 'one')
  await commit(side)
  await byTools(side, () => git(side, 'submodule', 'add', '-q', '-f', from, 'module'))
  await pause(side, 800)
  await byTools(side, async () => {
    await git(side, 'submodule', 'deinit', '-q', '-f', 'module')
    await pause(side, 800)
    await git(side, 'submodule', 'update', '-q', '--init')
  })
  return 'submodule'
}

const GIT_ACTS: readonly Act[] = [checkout, checkout, stash, rebase, sparse, worktree, submodule]

const gitAct: Act = async (side) => (side.hasGit ? oneOf(side, GIT_ACTS)(side) : edit(side))

/** What is mounted is away for a while, and comes back. */
const remount: Act = async (side) => {
  if (side.volume === null) return 'no mount'
  const { volume } = side
  unmount(join(side.dir, 'vol'))
  side.volume = null
  await pause(side, 1_500)
  if (below(side, 3) === 0) await pause(side, 4_000)
  mount(volume, join(side.dir, 'vol'))
  side.volume = volume
  return 'unmount vol, and mount it again'
}

/** An empty folder is mounted over one with files for a while. */
const mountOver: Act = async (side) => {
  const at = oneOf(side, ['src/deep', 'many'])
  if (!canMount || side.isSmall || read(side, `${at}/0.md`) === null) return 'no mount'
  mount(tempDir('over'), join(side.dir, at))
  await pause(side, 1_500)
  unmount(join(side.dir, at))
  return `mount over ${at}`
}

/** The disk is full for a while; nobody writes here meanwhile but the mirror. */
const fill: Act = async (side) => {
  if (!side.isSmall) return 'no small disk'
  const ballast = join(side.dir, 'ballast')
  try {
    for (;;) appendFileSync(ballast, Buffer.alloc(4096))
  } catch {
    // It is full.
  }
  await pause(side, 1_500)
  rmSync(ballast, { force: true })
  return 'full disk'
}

/** All that is done, with how often. */
const ACTS: readonly (readonly [number, Act])[] = [
  [9, edit],
  [4, append],
  [4, create],
  [2, remove],
  [1, move],
  [1, chmod],
  [1, wipe],
  [3, secret],
  [2, ruleAndSecret],
  [2, excludeAndSecret],
  [2, gap],
  [1, comment],
  [1, letOut],
  [1, removeRules],
  [1, ownRules],
  [4, gitAct],
  [1, remount],
  [1, mountOver],
  [1, fill],
]

const LOT: readonly Act[] = ACTS.flatMap(([times, act]) => Array<Act>(times).fill(act))

/** Does one thing in a folder, chosen by its random numbers. */
export const act = async (side: Side): Promise<void> => {
  const began = Date.now()
  const what = await oneOf(side, LOT)(side)
  side.trace.push(`${began % 1e6}-${Date.now() % 1e6} ${what}`)
}
