import { existsSync, mkdirSync, realpathSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { dirname, relative, resolve, sep } from 'node:path'
import { homeOf } from '../../../client/resident/socket.ts'
import { cannotWrite } from '../../../lib/disk/local-write.ts'
import { counted } from '../../../lib/text/count.ts'
import { shellWord } from '../../../lib/text/quote.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { checkFileKey } from '../../../workspace/document/path.ts'
import type { Call, Outcome, Verb } from '../../command/call.ts'
import { oneLine, path, safeJson } from '../../command/text.ts'
import { mayEnter, WorkspaceSession } from '../../command/workspace-session.ts'
import type { Mirror } from '../../mirror/mirror.ts'
import type { MirrorInfo, Mirrors } from '../../mirror/mirrors.ts'
import type { FirstPass, MirrorEvent, MirrorSettings } from '../../mirror/rules/options.ts'
import { checkPrefix } from '../../mirror/rules/paths.ts'

/** Fewer files than this are there before a progress bar is seen (count). */
const BAR_FROM = 200
/** Interval between two draws of the bar (ms), and its width (characters). */
const BAR_EVERY_MS = 100
const BAR_WIDTH = 24
/** Wait for the server's word that it has everything, for a listing (ms). */
const SENT_MS = 2_000
/** Of more files that are left out only the number is said (count). */
const MAX_NAMED = 10

/** Has the link mirror a folder, or stop it, or does it in this command until that is ended. */
export const mirror: Verb = async (call) => {
  if (call.has('list')) return list(call)
  const dir = folderOf(call)
  if (call.has('stop')) return stop(call, dir)
  const asked = checkPrefix(call.flag('prefix') ?? '')
  const team = await WorkspaceSession.open(call, true)
  const me = team.me()
  const known = team.mirrors?.list().find((one) => one.dir === dir)
  const prefix = call.has('publish') && !call.has('prefix') ? (known?.prefix ?? asked) : asked
  if (call.has('publish') && known === undefined) throw notMirrored(dir)
  checkOverlap(call, dir)
  if (call.has('foreground')) return foreground(call, { dir, prefix, me })

  const mirrors = mirrorsOf(call, team)
  if (call.has('pause')) return pause(mirrors, dir)
  if (call.has('flush')) return flush(call, mirrors, dir)
  const settings = settingsOf(call, dir, mirrors.settingsOf(dir))
  if (call.has('accept-rules')) {
    await runningIn(mirrors, dir).acceptRules()
    return { data: { mirror: { dir } }, lines: ['the ignore rules count as they are on disk'] }
  }
  if (call.has('confirm-deletions') || call.has('restore')) return decideGone(call, mirrors, dir)
  const one = await mirrors.start(dir, prefix, settings, bar(call))
  await call.close() // other commands need not wait
  const pass = await Promise.race([one.ready, given(call.request.signal)])
  if (pass === null || one.isStopped) {
    throw new ClawError('shutting_down', 'the mirror ended before everything was looked at once')
  }
  return outcomeOf(call, dir, one, pass)
}

const runningIn = (mirrors: Mirrors, dir: string): Mirror => {
  const one = mirrors.at(dir)
  if (one !== null) return one
  if (!mirrors.isPaused(dir)) throw notMirrored(dir)
  const how = `mirror ${shellWord(dir)} --publish`
  throw new ClawError('unknown_mirror', `${dir} is paused`, how)
}

/** From now on neither side changes the other, until the folder is published. */
const pause = async (mirrors: Mirrors, dir: string): Promise<Outcome> => {
  if (!(await mirrors.pause(dir))) throw notMirrored(dir)
  const how = `to go on: clawlink-agent mirror ${shellWord(dir)} --publish`
  return {
    data: { mirror: { dir }, paused: true },
    lines: [oneLine(`paused ${dir}: nothing of it is shared or brought; ${how}`)],
  }
}

/** Has a mirrored folder compared now, and waits until the server has the result. */
const flush = async (call: Call, mirrors: Mirrors, dir: string): Promise<Outcome> => {
  const one = runningIn(mirrors, dir)
  await call.close() // other commands need not wait
  if (await one.flush())
    return { data: { mirror: { dir }, in_sync: true }, lines: [oneLine(`${dir} is in sync`)] }
  throw new ClawError(
    'unreachable',
    `the server does not have all of ${dir} yet`,
    'saved here; it is sent when the server is back',
  )
}

const notMirrored = (dir: string): ClawError =>
  new ClawError('unknown_mirror', `${dir} is not mirrored`, 'mirror --list shows what is')

const decideGone = async (call: Call, mirrors: Mirrors, dir: string): Promise<Outcome> => {
  const isMeant = call.has('confirm-deletions')
  const count = await runningIn(mirrors, dir).decideGone(isMeant)
  const how = isMeant ? 'removed for all' : 'written again'
  const line = count === 0 ? 'nothing waits' : `${counted(count, 'vanished file')} ${how}`
  return { data: { mirror: { dir }, [isMeant ? 'removed' : 'restored']: count }, lines: [line] }
}

/**
 * The settings of a mirror: those of this command line, else its earlier ones. Throws `usage`,
 * `bad_path`, `not_allowed`.
 */
const settingsOf = (call: Call, dir: string, before: MirrorSettings | null): MirrorSettings => {
  const force = call.has('force') || before?.force === true
  const home = force ? undefined : homesOf().find((home) => contains(dir, home))
  if (home !== undefined) {
    throw new ClawError(
      'not_allowed',
      `${dir} is ${dir === home ? 'your home folder' : 'a folder that your home folder is in'}`,
      'mirror a folder in it, or add --force: credentials are left out all the same',
    )
  }
  const named = call.flag('include')?.split(',') ?? []
  const include = [...new Set([...(before?.include ?? []), ...named.map(checkIncluded)])]
  const maxBytes = call.size('max-size') ?? before?.maxBytes
  const maxGone = call.number('max-gone') ?? before?.maxGone
  return {
    ...(include.length > 0 && { include }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxGone !== undefined && { maxGone }),
    ...(force && { force }),
  }
}

/** The user's home folder, by the environment and by the system's list of users. */
const homesOf = (): string[] =>
  [homedir(), systemHome()].filter((home) => home !== '').map(realpath)

const systemHome = (): string => {
  try {
    return userInfo().homedir
  } catch {
    return '' // a user whom the system does not know
  }
}

const realpath = (path: string): string => {
  try {
    return realpathSync(path)
  } catch {
    return resolve(path)
  }
}

const checkIncluded = (path: string): string => checkFileKey(path.replace(/\/+$/, ''))

/** Resolves when a signal is given. */
const given = (signal: AbortSignal): Promise<null> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(null))
    if (signal.aborted) resolve(null)
  })

const folderOf = (call: Call): string => {
  const path = call.resolve(call.flag('dir')!)
  try {
    return realpathSync(path)
  } catch {
    if (call.has('stop')) return path
    if (existsSync(dirname(path)) && isNew(call)) return newFolder(call, path)
    throw new ClawError(
      'no_such_local_file',
      `folder ${path} does not exist`,
      'name an existing folder; it may be empty',
    )
  }
}

/** Tells whether `call` begins to mirror a folder, which is made for it then. */
const isNew = (call: Call): boolean =>
  !['accept-rules', 'confirm-deletions', 'restore', 'pause', 'publish', 'flush'].some((flag) =>
    call.has(flag),
  )

const newFolder = (call: Call, path: string): string => {
  checkOverlap(call, path)
  try {
    mkdirSync(path)
    return realpathSync(path)
  } catch (cause) {
    throw cannotWrite(path, path, cause)
  }
}

const allMirrors = (call: Call) =>
  (call.host.link?.workspaces() ?? []).flatMap(({ profile, mirrors }) =>
    (mirrors?.list() ?? []).map((info) => ({ profile, ...info })),
  )

/** One file has one mirror: two would take each other's writing for edits. */
const checkOverlap = (call: Call, dir: string): void => {
  for (const other of allMirrors(call)) {
    const isOwn = other.profile === call.profile.dir && other.dir === dir
    if (isOwn && !call.has('foreground')) continue
    if (!contains(dir, other.dir) && !contains(other.dir, dir)) continue
    throw new ClawError(
      'mirror_taken',
      `${other.dir} is mirrored already`,
      `run clawlink-agent mirror ${shellWord(other.dir)} --stop first, or mirror another folder`,
    )
  }
}

const contains = (outer: string, inner: string): boolean => {
  const rel = relative(outer, inner)
  return rel !== '..' && !rel.startsWith(`..${sep}`)
}

const mirrorsOf = (call: Call, team: WorkspaceSession): Mirrors => {
  const mirrors = call.host.link
    ?.workspaces()
    .find(({ handle }) => handle.replica === team.replica)?.mirrors
  if (mirrors != null) return mirrors
  throw new ClawError(
    'unreachable',
    'no link can be kept running here',
    'mirror in this command, as long as it runs: add --foreground',
  )
}

const outcomeOf = (call: Call, dir: string, one: Mirror, pass: FirstPass): Outcome => {
  const skipped = [...one.skipped].map(([rel, why]) => ({ file_key: one.prefix + rel, why }))
  if (!pass.durable) call.notes.push('the server is away; saved here, queued until it is back')
  const named = skipped
    .slice(0, MAX_NAMED)
    .map(({ file_key, why }) => `skipped ${path(file_key)}: ${why}`)
  const more = skipped.length - named.length
  return {
    data: {
      mirror: { dir, prefix: one.prefix, files: pass.files, skipped },
      ...(!pass.durable && { durable: false }),
    },
    lines: [oneLine(`mirroring ${dir}: ${counted(pass.files, 'file')}`)],
    notes: [...one.notes, ...named, ...(more > 0 ? [`and ${more} more: mirror --list`] : [])].map(
      oneLine,
    ),
  }
}

const list = async (call: Call): Promise<Outcome> => {
  await mayEnter(call, true)
  const { session } = await call.place() // continues the existing mirrors
  const all = allMirrors(call).filter(({ profile }) => profile === call.profile.dir)
  const isSent =
    session?.contact.connected === true &&
    (await session.barrier(SENT_MS).then(
      () => true,
      () => false,
    ))
  const mirrors = all.map(({ profile: _, ...info }) => ({
    ...info,
    in_sync: isSent && info.stopped === null && info.pending === 0,
  }))
  const lines = mirrors.map(lineOfMirror)
  const notes = mirrors.flatMap((info) => notesOf(info))
  return { data: { mirrors, count: mirrors.length }, lines, notes }
}

/** The state of a mirror, on one line. */
export const lineOfMirror = ({
  dir,
  prefix,
  files,
  skipped,
  stopped,
  in_sync: isInSync,
}: MirrorInfo & { in_sync?: boolean }): string => {
  const runs = isInSync === true ? 'mirroring, in sync' : 'mirroring'
  const state = stopped === null ? runs : stopped === 'paused' ? stopped : `stopped: ${stopped}`
  return oneLine(
    `${dir}  ${prefix === '' ? '(all)' : prefix}  ${counted(files, 'file')}  ${skipped.length} skipped  ${state}`,
  )
}

/** Notes about a mirror: first those about all of it, then at most `most` of its skipped files. */
export const notesOf = ({ skipped, notes = [] }: MirrorInfo, most = skipped.length): string[] => [
  ...notes.map(oneLine),
  ...skipped
    .slice(0, most)
    .map(({ file_key, why }) => oneLine(`skipped ${path(file_key)}: ${why}`)),
  ...(skipped.length > most ? [`and ${skipped.length - most} more: mirror --list`] : []),
]

const stop = async (call: Call, dir: string): Promise<Outcome> => {
  await mayEnter(call, true)
  await call.place()
  for (const { profile, mirrors } of call.host.link?.workspaces() ?? []) {
    if (profile !== call.profile.dir || !(await mirrors?.stop(dir))) continue
    return { data: { stopped: dir }, lines: [oneLine(`stopped mirroring ${dir}; its files stay`)] }
  }
  throw notMirrored(dir)
}

/** Mirrors until stdout is closed or the link is taken down. */
const foreground = async (
  call: Call,
  { dir, prefix, me }: { dir: string; prefix: string; me: ReturnType<WorkspaceSession['me']> },
): Promise<Outcome> => {
  const { print, signal, env, cwd } = call.request
  const place = await call.place()
  const ended = new AbortController()
  let printing = Promise.resolve()
  let stopped: string | undefined
  const say = (line: { type: string }): void => {
    const text = call.has('json') ? safeJson(line) : lineOf(line as MirrorEvent)
    printing = printing.then(() => print(`${text}\n`)).catch(() => ended.abort())
  }
  const report = (event: MirrorEvent): void => {
    say(event)
    if (event.type !== 'stopped') return
    stopped = event.why
    ended.abort()
  }
  const { Mirror } = await import('../../mirror/mirror.ts')
  const progress = bar(call)
  const one = await Mirror.open({
    ...settingsOf(call, dir, null),
    ...{ dir, prefix, me, report, without: homeOf(env.CLAWLINK_HOME, cwd) },
    replica: place.replica,
    session: () => place.session,
    ...(progress !== undefined && { progress }),
  })
  // The link keeps the place for other commands; without one it is this command's alone.
  if (call.host.link !== null) await call.close()
  const both = AbortSignal.any([signal, ended.signal])
  try {
    const over = given(both)
    const pass = await Promise.race([one.ready.catch(() => null), over])
    if (pass !== null) say({ type: 'ready', dir, ...pass } as { type: string })
    await over
  } finally {
    await one.close()
  }
  if (stopped !== undefined) {
    throw new ClawError('no_such_local_file', stopped, 'mirror it again when it is back')
  }
  if (signal.aborted && signal.reason !== 'down') {
    throw new ClawError('shutting_down', 'the link was taken down')
  }
  return { data: {}, lines: [], isStream: true }
}

const lineOf = (event: MirrorEvent | ({ type: 'ready'; dir: string } & FirstPass)): string => {
  if (event.type === 'ready')
    return oneLine(`mirroring ${event.dir}: ${counted(event.files, 'file')}`)
  const { type, file_key, change, why, conflicts = [] } = event
  const lines = conflicts.map(({ from_line, to_line, by }) => `${from_line}-${to_line} by ${by}`)
  const more = lines.length > 0 ? `both kept: lines ${lines.join(', ')}` : ''
  return oneLine([type, path(file_key), change ?? '', why ?? '', more].filter(Boolean).join('  '))
}

/** Shows on a terminal how far a large first pass is. */
const bar = (call: Call): ((done: number, total: number) => void) | undefined => {
  const { progress, say } = call.request
  if (progress !== true) return undefined
  let last = 0
  return (done, total) => {
    const now = Date.now()
    if (total < BAR_FROM || (done < total && now - last < BAR_EVERY_MS)) return
    last = now
    const full = Math.floor((BAR_WIDTH * done) / total)
    const drawn = `${'#'.repeat(full)}${'.'.repeat(BAR_WIDTH - full)}`
    say(done < total ? `\r[${drawn}] ${done} of ${total} files` : '\r\u001b[K')
  }
}
