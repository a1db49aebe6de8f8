import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type * as Y from 'yjs'
import { type Connection, Mirror } from '../../agent/mirror/mirror.ts'
import type { MirrorEvent } from '../../agent/mirror/rules/options.ts'
import { Replica } from '../../client/replica/replica.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { until, untilDoc } from './client.ts'
import { tempDir } from './server.ts'
import { send } from './workspace/replicas.ts'
import { type Context, editCopy, eolOf, KEY, pick, type Writer } from './writers.ts'

/** A tool has what it read in its hands for less than this (ms): what docs/mirror.md promises it, less a margin. */
const HELD_MS = 1_500
/** How often a step begins with another mirror, and how often the tool reads before others' edits come in. */
const RESTARTS = 0.06
const HOLDS = 0.4

/** Tools that write a file on disk, in a folder that the mirror program keeps, with a replica of its own. */
export interface DiskWriter extends Writer {
  /** What is on disk. */
  text: () => string
  /** Ends the mirror, and with that all that it was about to do. */
  settle: () => Promise<void>
  close: () => Promise<void>
}

/** The syncs are the run's: whatever came in is all that there is. */
const CONNECTION: Connection = { synced: async () => {}, barrier: async () => {} }

let parent: string | null = null

/** `fetch` syncs with somebody, `first` is who has the file at the start. */
export const diskWriter = async (
  { by, random, marker, fetch }: Omit<Context, 'doc'> & { fetch: () => void },
  clientID: number,
  first: Y.Doc,
): Promise<DiskWriter> => {
  parent ??= tempDir('writers')
  const home = mkdtempSync(join(parent, 'home-'))
  const dir = join(home, 'shared')
  mkdirSync(dir)
  const replica = await Replica.open(join(home, 'replica'), console.log)
  const { doc } = replica
  doc.clientID = clientID
  send(first, doc)
  const path = join(dir, KEY)
  const text = () => readFileSync(path, 'utf8')

  const report = ({ type, why }: MirrorEvent): void => {
    if (type === 'skipped' || type === 'stopped') console.error(`${dir}: ${type}: ${why}`)
  }
  const open = async (): Promise<Mirror> => {
    const options = { dir, prefix: '', without: join(home, 'replica'), replica, me: by, report }
    const mirror = await Mirror.open({ ...options, session: () => CONNECTION })
    await mirror.ready
    return mirror
  }
  let mirror = await open()

  /** Others' edits come in while a tool has the file in its hands; whether it has had it for too long. */
  const hold = async (copy: string): Promise<boolean> => {
    const began = Date.now()
    const { ino } = statSync(path)
    const isTooLong = () => Date.now() - began > HELD_MS
    fetch()
    if (readFile(doc, KEY).content === copy) return false
    await until('what came in is on disk', () => statSync(path).ino !== ino || isTooLong())
    return isTooLong()
  }

  const step = async (): Promise<string[]> => {
    if (random() < RESTARTS) {
      await mirror.close()
      const line = marker()
      writeFileSync(path, editCopy(text(), random, line))
      fetch()
      mirror = await open()
      return [line]
    }
    const line = marker()
    const write = WAYS[pick(random, WAYS.length)]!(path)
    const [isHeld, isAwaited] = [random() < HOLDS, random() < 0.5]
    let copy = text()
    if (isHeld && (await hold(copy))) copy = text()
    write(copy, editCopy(copy, random, line), line)
    if (isAwaited) await untilDoc(doc, () => readFile(doc, KEY).content.includes(line))
    return [line]
  }

  const settle = () => mirror.close()
  const close = async (): Promise<void> => {
    await replica.close()
    rmSync(home, { recursive: true })
  }
  return { doc, step, text, settle, close }
}

/** A way to write a file: opened first, it then gets the new text, or at least the line, in the place of what it read. */
type Way = (path: string) => (copy: string, next: string, line: string) => void

const inPlace: Way = (path) => (_, next) => writeFileSync(path, next)

const renameInto: Way = (path) => (_, next) => {
  const neighbour = `${path}~`
  writeFileSync(neighbour, next)
  renameSync(neighbour, path)
}

/** To the file that it opened, though another may have taken its place. */
const append: Way = (path) => {
  const before = readFileSync(path, 'utf8')
  const file = openSync(path, 'a')
  return (_copy, _next, line) => {
    const eol = eolOf(before)
    writeSync(file, `${before === '' || before.endsWith('\n') ? '' : eol}${line}${eol}`)
    closeSync(file)
  }
}

const WAYS: readonly Way[] = [inPlace, renameInto, append]
