import type { FileVersion } from '../../workspace/files/file-state.ts'
import { type WordedText, wordedTexts, wordsIn } from '../highlight/texts.ts'
import { ago, clock, latest, type UiFrame } from '../model/frame.ts'
import { dataOf, errorOf, type Need } from '../model/reads.ts'
import { shownNameOf } from '../model/snapshot.ts'
import type { ReadPage } from '../model/state.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { changeRows, sideRows, sideTitles, wholeRows } from './parts/diff.ts'
import type { PageItems, PageView } from './parts/page-view.ts'
import { failedRows, waitingRows } from './parts/read-rows.ts'
import { sliderRow } from './parts/slider.ts'
import { SPLIT_COLUMNS } from './parts/split.ts'

/** Versions of a page of `file-log` (count), and pages that are read at most. */
const PAGE = 500
const MAX_PAGES = 20
/** So near to the oldest version that is known (count) older ones are read. */
const NEAR_END = 25

interface Log {
  versions: readonly FileVersion[]
  more: boolean
}
interface Text {
  file: { content: string }
}

const logArgv = (path: string, before: number | null): string[] => [
  ...['file-log', `--key=${path}`, `--limit=${PAGE}`],
  ...(before === null ? [] : [`--before=${before}`]),
]

const textArgv = (path: string, version: number): string[] => [
  ...['file-get', `--key=${path}`, `--version=${version}`],
]

/** The newest version that is known here: with it the log is read again. */
const stampOf = ({ snapshot }: UiFrame, path: string): string =>
  `v${snapshot.files.find(({ info }) => info.file_key === path)?.info.version ?? 0}`

/** The pages of the log that are there, and the one that comes next; null: there is none. */
const logOf = (look: UiFrame, path: string): { versions: FileVersion[]; next: Need | null } => {
  const versions: FileVersion[] = []
  let next: Need | null = { argv: logArgv(path, null), stamp: stampOf(look, path) }
  for (let pages = 0; next !== null && pages < MAX_PAGES; pages++) {
    const log: Log | null = dataOf<Log>(look.reads, next.argv)
    if (log === null) break
    versions.push(...log.versions)
    const oldest: number | undefined = log.versions.at(-1)?.version
    next = log.more && oldest !== undefined ? { argv: logArgv(path, oldest) } : null
  }
  return { versions: versions.reverse(), next }
}

/** The versions of the file, oldest first, and which one is shown: the newest, if none is picked. */
const shownOf = (look: UiFrame, page: ReadPage) => {
  const { versions, next } = logOf(look, page.id)
  const found = versions.findLastIndex(({ version }) => version <= Number(page.at))
  const at = page.at === undefined ? versions.length - 1 : Math.max(0, found)
  return { versions, next, at: Math.min(at, versions.length - 1) }
}

export const historyItems = (look: UiFrame, page: ReadPage): PageItems => {
  const { versions, at } = shownOf(look, page)
  return { count: versions.length, at, idAt: (index) => String(versions[index]!.version) }
}

/** The version of the history that is shown; null: none yet. */
export const shownVersion = (look: UiFrame, page: ReadPage): FileVersion | null => {
  const { versions, at } = shownOf(look, page)
  return versions[at] ?? null
}

/** The version that was the newest at a time (milliseconds since the epoch); null: none is so old. */
export const versionAtTime = (look: UiFrame, page: ReadPage, time: number): number | null =>
  shownOf(look, page).versions.findLast(({ updated_at }) => Date.parse(updated_at) <= time)
    ?.version ?? null

export const historyNeeds = (look: UiFrame, page: ReadPage): Need[] => {
  const { versions, next, at } = shownOf(look, page)
  const first = { argv: logArgv(page.id, null), stamp: stampOf(look, page.id) }
  const older = next !== null && at < NEAR_END ? [next] : []
  // The one before is what it is compared with; the one after is the next that is played.
  const texts = [at, at - 1, at + 1].flatMap((index) => versions[index] ?? [])
  return [
    ...[first, ...older],
    ...texts.map(({ version }) => ({ argv: textArgv(page.id, version) })),
  ]
}

/** The texts of the version that is shown, and of the one before it. */
export const historyTexts = (look: UiFrame, page: ReadPage): WordedText[] => {
  const { versions, at } = shownOf(look, page)
  const texts = [at - 1, at].flatMap((index) => {
    const version = versions[index]
    const read = version && dataOf<Text>(look.reads, textArgv(page.id, version.version))
    return read ? [read.file.content] : []
  })
  return wordedTexts(page.id, texts)
}

const changed = latest(changeRows)
const beside = latest(sideRows)
const whole = latest(wholeRows)

export const historyView = (look: UiFrame, page: ReadPage, width: number): PageView => {
  const shown = shownOf(look, page)
  const { versions, at } = shown
  const items = historyItems(look, page)
  const version = versions[at]
  if (version === undefined) {
    const needs = historyNeeds(look, page)
    const isRead = dataOf(look.reads, needs[0]!.argv) !== null
    const none = isRead ? [[seg('no versions are kept', 'dim')]] : waitingRows
    const error = errorOf(look.reads, needs)
    const lines = error === null ? none : failedRows(error)
    return { head: [[said(page.id, 'strong')], []], lines, items: null, isList: false }
  }
  const lines = textRowsOf(look, page, versions, at, width)
  const head = [
    factsOf(look, page, version),
    sliderRow(page, items, 'version', width, look.plain),
    isBeside(look, page, width) ? titlesOf(shown, width) : [],
  ]
  return { head, lines, items, isList: false }
}

/** True if a version stands beside the one before it. */
const isBeside = ({ plain }: UiFrame, page: ReadPage, width: number): boolean =>
  width >= SPLIT_COLUMNS && !plain && page.isWhole !== true

const titlesOf = ({ versions, next, at }: ReturnType<typeof shownOf>, width: number): Row => {
  const nameOf = (index: number) => `version ${versions[index]!.version}`
  const oldest = versions[0]!.version === 1 ? 'version 1 is the first' : 'no older version is kept'
  const first = next === null ? oldest : 'older versions are being read'
  return sideTitles(at === 0 ? first : nameOf(at - 1), nameOf(at), width)
}

const textRowsOf = (
  look: UiFrame,
  page: ReadPage,
  versions: readonly FileVersion[],
  at: number,
  width: number,
): readonly Row[] => {
  const { reads } = look
  const argvOf = (index: number) => textArgv(page.id, versions[index]!.version)
  const after = dataOf<Text>(reads, argvOf(at))
  const before = at === 0 ? { file: { content: '' } } : dataOf<Text>(reads, argvOf(at - 1))
  const error = errorOf(reads, [{ argv: argvOf(at) }])
  if (error !== null) return failedRows(error)
  if (after === null) return waitingRows
  const wordsOf = (text: string) => wordsIn(look.words, page.id, text)
  const is = wordsOf(after.file.content)
  if (page.isWhole === true) return whole(after.file.content, is)
  if (before === null) return waitingRows
  const texts = [before.file.content, after.file.content] as const
  const was = wordsOf(before.file.content)
  return isBeside(look, page, width) ? beside(...texts, width, was, is) : changed(...texts, was, is)
}

/** Which version it is, by whom, of when, and how large a change. */
const factsOf = (look: UiFrame, page: ReadPage, version: FileVersion): Row => {
  const { snapshot } = look
  const by = version.editors.map((id) => shownNameOf(snapshot, id)).join(', ') || 'somebody'
  const at = Date.parse(version.updated_at)
  const age = ago(version.updated_at, snapshot.now)
  const time = `${clock(at, snapshot.now)} (${age === 'now' ? age : `${age} ago`})`
  return [
    said(version.file_key === page.id ? page.id : `${page.id}, then ${version.file_key}`, 'strong'),
    seg(`  version ${version.version}  `),
    said(by, 'accent'),
    seg(`  ${time}  `, 'dim'),
    seg(`+${version.added_lines}`, 'good'),
    seg(' '),
    seg(`-${version.removed_lines}`, 'bad'),
    seg(' lines', 'dim'),
  ]
}
