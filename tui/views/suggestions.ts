import { counted } from '../../lib/text/count.ts'
import type {
  SuggestedChange,
  Suggestion,
  SuggestionDetail,
} from '../../workspace/files/suggestions.ts'
import { type WordedText, wordedTexts, wordsIn } from '../highlight/texts.ts'
import { ago, latest, type UiFrame } from '../model/frame.ts'
import { dataOf, errorOf, type Need } from '../model/reads.ts'
import { shownNameOf } from '../model/snapshot.ts'
import type { ReadPage } from '../model/state.ts'
import {
  type Column,
  columnWidths,
  picked,
  type Row,
  said,
  seg,
  type Tone,
  tableRow,
} from '../ui/rows.ts'
import { signedRows } from './parts/diff.ts'
import { paragraph } from './parts/page.ts'
import type { PageView } from './parts/page-view.ts'
import { failedRows, waitingRows } from './parts/read-rows.ts'
import { sliderRow } from './parts/slider.ts'

/** Another one after each change of a suggestion, and of a file that one is for. */
const stampOf = ({ snapshot }: UiFrame, path: string | null): string => {
  const version =
    path === null ? '' : snapshot.files.find(({ info }) => info.file_key === path)?.info.version
  return `s${snapshot.suggestionStamp}/${version ?? ''}`
}

/** The subject of a list: `file PATH`, `task ID`, `agent ID`, or '' for all. */
const subjectOf = (id: string): { kind: string; value: string } => {
  const at = id.indexOf(' ')
  return { kind: id.slice(0, Math.max(0, at)), value: id.slice(at + 1) }
}

const listNeed = (look: UiFrame, id: string): Need => {
  const { kind, value } = subjectOf(id)
  const path = kind === 'file' ? value : null
  const key = path === null ? [] : [`--key=${path}`]
  return { argv: ['file-suggestions', '--all', ...key], stamp: stampOf(look, path) }
}

export const suggestionsNeeds = (look: UiFrame, page: ReadPage): Need[] => [listNeed(look, page.id)]

/** The suggestions of a list, those that wait first; null: not read yet. */
export const listedSuggestions = (look: UiFrame, page: ReadPage): readonly Suggestion[] | null => {
  const { kind, value } = subjectOf(page.id)
  const found = dataOf<{ suggestions: readonly Suggestion[] }>(
    look.reads,
    listNeed(look, page.id).argv,
  )
  return found === null ? null : wanted(found.suggestions, kind, value)
}

const wanted = latest((all: readonly Suggestion[], kind: string, value: string) => {
  const field = ({ task, by }: Suggestion) =>
    kind === 'task' ? task : kind === 'agent' ? by : value
  const some = all.filter((one) => field(one) === value)
  const isOpen = ({ state }: Suggestion) => state === 'open'
  return [...some.filter(isOpen), ...some.filter((one) => !isOpen(one))]
})

const STATES: Readonly<Record<string, Tone>> = {
  ...{ open: 'warn', accepted: 'good', partly: 'good', rejected: 'bad', withdrawn: 'dim' },
  ...{ applies: 'plain', moved: 'plain', conflict: 'bad' },
}

const COLUMNS: readonly Column[] = [
  { title: 'ID', min: 6, grow: 0 },
  { title: 'STATE', min: 9, grow: 0 },
  { title: 'FILE', min: 18, grow: 3 },
  { title: 'BY', min: 12, grow: 1 },
  { title: 'HUNKS', min: 8, grow: 0 },
  { title: 'AGE', min: 4, grow: 0 },
  { title: 'NOTE', min: 12, grow: 4 },
]

export const suggestionsView = (look: UiFrame, page: ReadPage, width: number): PageView => {
  const { snapshot, reads, plain } = look
  const { kind, value } = subjectOf(page.id)
  const title: Row = [
    seg('Suggestions', 'strong'),
    ...(kind === ''
      ? []
      : [seg(kind === 'agent' ? ' by ' : ' for '), said(titleOf(look, kind, value), 'strong')]),
  ]
  const without = (lines: readonly Row[]) => ({
    head: [title, []],
    lines,
    items: null,
    isList: false,
  })
  const error = errorOf(reads, suggestionsNeeds(look, page))
  const all = listedSuggestions(look, page)
  if (error !== null) return without(failedRows(error))
  if (all === null) return without(waitingRows)
  if (all.length === 0) return without([[seg('none', 'dim')]])
  const at = Math.max(
    0,
    all.findIndex(({ suggestion_id }) => suggestion_id === page.at),
  )
  const widths = columnWidths(COLUMNS, width)
  const rows = all.map((one, i) => {
    const { waiting, hunks, conflicts, state } = one
    const row = tableRow(
      [
        [seg(plain && i === at ? '> ' : ''), said(one.suggestion_id, 'strong')],
        [seg(state, STATES[state] ?? 'plain')],
        [said(one.file_key)],
        [said(shownNameOf(snapshot, one.by), 'accent')],
        [seg(`${waiting}/${hunks}`), seg(conflicts > 0 ? ` !${conflicts}` : '', 'bad')],
        [seg(ago(one.at, snapshot.now), 'dim')],
        [said(one.note, 'dim')],
      ],
      widths,
    )
    return i === at ? picked(row) : row
  })
  const titles = tableRow(
    COLUMNS.map(({ title: name }) => [seg(name, 'dim')]),
    widths,
  )
  const idAt = (index: number) => all[index]!.suggestion_id
  const items = { count: all.length, at, idAt, lineAt: (index: number) => index }
  return { head: [title, titles], lines: rows, items, isList: true }
}

const titleOf = ({ snapshot }: UiFrame, kind: string, value: string): string =>
  kind === 'agent'
    ? shownNameOf(snapshot, value)
    : kind === 'task'
      ? (snapshot.taskById.get(value)?.task ?? value)
      : value

/** A suggestion is looked for in its list, for the path of its file. */
const detailNeed = (look: UiFrame, id: string): Need => {
  const argv = ['file-suggestions', `--id=${id}`]
  const known = dataOf<{ suggestion: SuggestionDetail }>(look.reads, argv)
  return { argv, stamp: stampOf(look, known?.suggestion.file_key ?? null) }
}

export const suggestionNeeds = (look: UiFrame, page: ReadPage): Need[] => [
  detailNeed(look, page.id),
]

export const shownSuggestion = (look: UiFrame, page: ReadPage): SuggestionDetail | null =>
  dataOf<{ suggestion: SuggestionDetail }>(look.reads, detailNeed(look, page.id).argv)
    ?.suggestion ?? null

/** The texts of the hunks of the suggestion that is shown. */
export const suggestionTexts = (look: UiFrame, page: ReadPage): WordedText[] => {
  const one = shownSuggestion(look, page)
  const texts = one?.changes?.flatMap((change) => [change.old, change.new]) ?? []
  return one === null ? [] : wordedTexts(one.file_key, texts)
}

/** The index of the hunk that is picked: at first the first one that waits. */
const hunkAt = (changes: readonly SuggestedChange[], page: ReadPage): number => {
  const found = changes.findIndex(({ hunk }) => String(hunk) === page.at)
  return Math.max(0, found >= 0 ? found : changes.findIndex(isWaiting))
}

export const isWaiting = ({ state }: SuggestedChange): boolean =>
  state !== 'accepted' && state !== 'rejected'

/** The hunk that is picked; null: there is none. */
export const pickedHunk = (look: UiFrame, page: ReadPage): SuggestedChange | null => {
  const changes = shownSuggestion(look, page)?.changes ?? []
  return changes[hunkAt(changes, page)] ?? null
}

/** A suggestion, hunk by hunk as a diff; left and right go from hunk to hunk. */
export const suggestionView = (look: UiFrame, page: ReadPage, width: number): PageView => {
  const { reads } = look
  const one = shownSuggestion(look, page)
  if (one === null) {
    const error = errorOf(reads, suggestionNeeds(look, page))
    const lines = error === null ? waitingRows : failedRows(error)
    return { head: [[said(page.id, 'strong')], []], lines, items: null, isList: false }
  }
  const { changes = [] } = one
  const facts = factsOf(look, one)
  const notes = [...notesOf(look, one, width), []]
  if (changes.length === 0) return { head: [facts], lines: notes, items: null, isList: false }
  const at = hunkAt(changes, page)
  const starts: number[] = []
  const lines: Row[] = [...notes]
  for (const [i, change] of changes.entries()) {
    starts.push(lines.length)
    const head = hunkRow(change)
    lines.push(i === at ? picked(head) : head, ...hunkLines(look, one.file_key, change), [])
  }
  const items = {
    ...{ count: changes.length, at, idAt: (i: number) => String(changes[i]!.hunk) },
    lineAt: (i: number) => starts[i]!,
  }
  const slider = sliderRow(null, items, 'hunk', width, look.plain)
  return { head: [facts, slider], lines, items, isList: false }
}

const factsOf = ({ snapshot }: UiFrame, one: SuggestionDetail): Row => {
  const { suggestion_id, file_key, by, at, state, waiting, hunks, base_version } = one
  const age = ago(at, snapshot.now)
  return [
    said(suggestion_id, 'strong'),
    seg(' for '),
    said(file_key, 'strong'),
    seg(' by '),
    said(shownNameOf(snapshot, by), 'accent'),
    seg(`  ${age === 'now' ? age : `${age} ago`}, on version ${base_version}  `, 'dim'),
    seg(state, STATES[state] ?? 'plain'),
    seg(waiting === 0 ? '' : `, ${waiting} of ${counted(hunks, 'hunk')} waiting`),
  ]
}

const notesOf = ({ snapshot }: UiFrame, one: SuggestionDetail, width: number): Row[] => {
  const { note, task, approve_by, decisions } = one
  const name = (id: string) => said(shownNameOf(snapshot, id), 'accent')
  return [
    ...(note === '' ? [] : paragraph(note, width)),
    ...(task === null
      ? []
      : [[seg('for task ', 'dim'), said(snapshot.taskById.get(task)?.task ?? task)]]),
    ...(approve_by === null ? [] : [[seg('to be accepted by ', 'dim'), name(approve_by)]]),
    ...decisions.flatMap(({ by, verdict, hunks, reason }): Row[] => [
      [
        seg(verdict, STATES[verdict] ?? 'plain'),
        seg(` ${hunks.length === 1 ? 'hunk' : 'hunks'} ${hunks.join(', ')} by `),
        name(by),
        said(reason === '' ? '' : `: ${reason}`),
      ],
    ]),
  ]
}

const WORDS: Readonly<Record<string, string>> = {
  moved: 'moved with the text',
  conflict: 'no longer applies: its lines were changed',
}

const hunkRow = ({ hunk, line, state }: SuggestedChange): Row => [
  seg(`hunk ${hunk}`, 'strong'),
  seg(`  line ${line}  `, 'dim'),
  seg(WORDS[state] ?? state, STATES[state] ?? 'plain'),
]

const hunkLines = (
  { words }: UiFrame,
  path: string,
  { old, new: proposed }: Pick<SuggestedChange, 'old' | 'new'>,
): Row[] =>
  signedRows([...signed('-', old), ...signed('+', proposed)], {
    before: wordsIn(words, path, old),
    after: wordsIn(words, path, proposed),
  })

const signed = (sign: string, text: string): string[] =>
  text === ''
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((line) => sign + line)
