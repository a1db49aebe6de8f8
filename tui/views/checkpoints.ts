import { counted } from '../../lib/text/count.ts'
import type { CheckpointInfo, FileChangeKind } from '../../workspace/files/checkpoint.ts'
import { type WordedText, type Words, wordedTexts, wordsIn } from '../highlight/texts.ts'
import { ago, latest, type UiFrame } from '../model/frame.ts'
import { dataOf, errorOf, type Need } from '../model/reads.ts'
import { shownNameOf } from '../model/snapshot.ts'
import type { ReadPage } from '../model/state.ts'
import { type Column, columnWidths, picked, type Row, said, seg, tableRow } from '../ui/rows.ts'
import { diffRows } from './parts/diff.ts'
import type { PageItems, PageView } from './parts/page-view.ts'
import { failedRows, waitingRows } from './parts/read-rows.ts'
import { sidesOf } from './parts/words.ts'

/** Read anew whenever a page is opened, and after each command. */
const ONCE = 'once'

const LIST: Need = { argv: ['checkpoints'], stamp: ONCE }

/** The checkpoints, the newest first; null: not read yet. */
export const knownCheckpoints = ({ reads }: UiFrame): readonly CheckpointInfo[] | null =>
  dataOf<{ checkpoints: readonly CheckpointInfo[] }>(reads, LIST.argv)?.checkpoints.toReversed() ??
  null

export const checkpointsNeeds = (): Need[] => [LIST]

const COLUMNS: readonly Column[] = [
  { title: 'CHECKPOINT', min: 20, grow: 2 },
  { title: 'BY', min: 14, grow: 1 },
  { title: 'AGE', min: 5, grow: 0 },
  { title: 'FILES', min: 6, grow: 0 },
  { title: 'NOTE', min: 12, grow: 5 },
]

export const checkpointsView = (look: UiFrame, page: ReadPage, width: number): PageView => {
  const { snapshot, reads } = look
  const all = knownCheckpoints(look)
  const head: Row[] = [[seg('Checkpoints: the state of all files under a name', 'strong')], []]
  const without = (lines: readonly Row[]) => ({ head, lines, items: null, isList: false })
  const error = errorOf(reads, [LIST])
  if (error !== null) return without(failedRows(error))
  if (all === null) return without(waitingRows)
  if (all.length === 0) return without([[seg('none yet; n makes one', 'dim')]])
  const at = Math.max(
    0,
    all.findIndex(({ name }) => name === page.at),
  )
  const widths = columnWidths(COLUMNS, width)
  const rows = all.map(({ name, by, at: made, files, note }, i) => {
    const row = tableRow(
      [
        [said(look.plain && i === at ? `> ${name}` : name, 'strong')],
        [said(shownNameOf(snapshot, by), 'accent')],
        [seg(ago(made, snapshot.now), 'dim')],
        [seg(String(files), 'dim')],
        [said(note)],
      ],
      widths,
    )
    return i === at ? picked(row) : row
  })
  const titles = tableRow(
    COLUMNS.map(({ title }) => [seg(title, 'dim')]),
    widths,
  )
  const items = {
    count: all.length,
    at,
    idAt: (i: number) => all[i]!.name,
    lineAt: (i: number) => i,
  }
  return { head: [head[0]!, titles], lines: rows, items, isList: true }
}

interface Compared {
  from: string
  to: string
  files: readonly {
    file_key: string
    change: FileChangeKind
    from_version: number | null
    to_version: number | null
    diff: string | null
  }[]
  more: boolean
}

/** The names in the id of a page that compares: `FROM`, or `FROM TO`. */
export const comparedNames = (id: string): { from: string; to: string } => {
  const [from = '', to = 'now'] = id.split(' ')
  return { from, to }
}

const diffNeed = (id: string): Need => {
  const { from, to } = comparedNames(id)
  return { argv: ['diff', `--from=${from}`, `--to=${to}`], stamp: ONCE }
}

export const checkpointNeeds = ({ id }: ReadPage): Need[] => [diffNeed(id), LIST]

/** The file of a comparison that is picked; null: there is none. */
export const pickedChange = (look: UiFrame, page: ReadPage): string | null => {
  const compared = dataOf<Compared>(look.reads, diffNeed(page.id).argv)
  const file = compared?.files.find(({ file_key }) => file_key === page.at) ?? compared?.files[0]
  return file?.file_key ?? null
}

/** The files that differ, each with its diff; left and right go from file to file. */
export const checkpointView = (look: UiFrame, page: ReadPage): PageView => {
  const { reads } = look
  const { from, to } = comparedNames(page.id)
  const need = diffNeed(page.id)
  const compared = dataOf<Compared>(reads, need.argv)
  const error = errorOf(reads, [need])
  const title: Row = [seg('From '), said(from, 'strong'), seg(' to '), said(to, 'strong')]
  if (compared === null) {
    const lines = error === null ? waitingRows : failedRows(error)
    return { head: [title, []], lines, items: null, isList: false }
  }
  const { lines, starts } = linesOf(compared, look.words)
  const count = counted(compared.files.length, 'file')
  const head: Row[] = [[...title, seg(`: ${count}${compared.more ? ' and more' : ''}`, 'dim')], []]
  if (compared.files.length === 0) {
    return { head, lines: [[seg('nothing differs', 'dim')]], items: null, isList: false }
  }
  const at = Math.max(
    0,
    compared.files.findIndex(({ file_key }) => file_key === page.at),
  )
  const items: PageItems = {
    ...{ count: compared.files.length, at, idAt: (i) => compared.files[i]!.file_key },
    lineAt: (i) => starts[i]!,
  }
  const marked = lines.map((row, i) => (i === starts[at] ? picked(row) : row))
  return { head, lines: marked, items, isList: false }
}

const TONES = { added: 'good', removed: 'bad', changed: 'accent', moved: 'accent' } as const

const sidesIn = latest(({ files }: Compared) => files.map(({ diff }) => sidesOf(diff ?? '')))

/** The texts of the changes. */
export const checkpointTexts = (look: UiFrame, page: ReadPage): WordedText[] => {
  const compared = dataOf<Compared>(look.reads, diffNeed(page.id).argv)
  if (compared === null) return []
  const sides = sidesIn(compared)
  return compared.files.flatMap(({ file_key }, i) =>
    wordedTexts(file_key, [sides[i]!.before, sides[i]!.after]),
  )
}

const linesOf = latest((compared: Compared, words: Words): { lines: Row[]; starts: number[] } => {
  const sides = sidesIn(compared)
  const lines: Row[] = []
  const starts: number[] = []
  for (const [i, one] of compared.files.entries()) {
    const { file_key, change, from_version, to_version, diff } = one
    starts.push(lines.length)
    const versions = [from_version, to_version].map((version) => version ?? '–').join(' → ')
    lines.push([
      said(file_key, 'strong'),
      seg(`  ${change}`, TONES[change] ?? 'plain'),
      seg(`  version ${versions}`, 'dim'),
    ])
    const before = wordsIn(words, file_key, sides[i]!.before)
    const after = wordsIn(words, file_key, sides[i]!.after)
    lines.push(...(diff === null ? [] : diffRows(diff, { before, after })), [])
  }
  return { lines, starts }
})
