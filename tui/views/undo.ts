import { counted } from '../../lib/text/count.ts'
import type { UndoneFile, UndoReport } from '../../workspace/authorship/undo-report.ts'
import { linesText } from '../../workspace/inbox/conflicts.ts'
import { type WordedText, type Words, wordedTexts, wordsIn } from '../highlight/texts.ts'
import { latest, type UiFrame } from '../model/frame.ts'
import { dataOf, errorOf, type Need } from '../model/reads.ts'
import { type Snapshot, shownNameOf } from '../model/snapshot.ts'
import type { ReadPage } from '../model/state.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { diffRows } from './parts/diff.ts'
import type { PageView } from './parts/page-view.ts'
import { failedRows, waitingRows } from './parts/read-rows.ts'
import { sidesOf } from './parts/words.ts'

/** The subject of an undo: the flag of the verb and its value, as the id of a page has them. */
export const undoneWork = (id: string): { flag: 'agent' | 'task' | 'id'; value: string } => {
  const [flag, value = ''] = id.split(' ')
  return { flag: flag === 'agent' || flag === 'task' ? flag : 'id', value }
}

export const undoArgv = (id: string): string[] => {
  const { flag, value } = undoneWork(id)
  return ['undo', `--${flag}=${value}`]
}

const dryRun = (id: string): Need => ({ argv: [...undoArgv(id), '--dry-run'], stamp: 'once' })

export const undoNeeds = ({ id }: ReadPage): Need[] => [dryRun(id)]

/** The subject of an undo in words. */
export const workWords = ({ names, taskById }: Snapshot, id: string): string => {
  const { flag, value } = undoneWork(id)
  if (flag === 'agent') return `the work of ${names.get(value) ?? value}`
  return flag === 'task' ? `the work for “${taskById.get(value)?.task ?? value}”` : `undo ${value}`
}

/** The answer of the dry run; null: not read yet, or refused. */
export const plannedUndo = ({ reads }: UiFrame, { id }: ReadPage): UndoReport | null =>
  dataOf<UndoReport>(reads, dryRun(id).argv)

/** The size of an undo in words. */
export const undoSize = (files: readonly UndoneFile[]): string => {
  const sum = (field: 'removed' | 'restored') => files.reduce((all, file) => all + file[field], 0)
  const overlaps = files.reduce((all, file) => all + file.overlaps.length, 0)
  const parts = [
    counted(files.length, 'file'),
    `${counted(sum('removed'), 'character')} taken out`,
    `${sum('restored')} put back`,
    ...(overlaps === 0 ? [] : [`${counted(overlaps, 'overlap')} with others`]),
  ]
  return parts.join(', ')
}

const HOW: Row = [seg('Z', 'accent'), seg(' takes it back, after a question', 'dim')]

/** The work that would be taken back, file by file, with the places where it meets the work of others. */
export const undoView = (look: UiFrame, page: ReadPage): PageView => {
  const { snapshot, reads } = look
  const title: Row = [seg('Take back ', 'strong'), said(workWords(snapshot, page.id), 'strong')]
  const planned = plannedUndo(look, page)
  if (planned === null) {
    const error = errorOf(reads, undoNeeds(page))
    const lines = error === null ? waitingRows : failedRows(error)
    return { head: [title, []], lines, items: null, isList: false }
  }
  const { files } = planned
  if (files.length === 0) {
    const lines = [[seg('nothing of it is in the files', 'dim')]]
    return { head: [title, []], lines, items: null, isList: false }
  }
  return {
    head: [title, [seg(undoSize(files))], HOW, []],
    lines: linesOf(files, snapshot.names, look.words),
    items: null,
    isList: false,
  }
}

const sidesIn = latest((files: readonly UndoneFile[]) =>
  files.map(({ diff }) => sidesOf(diff ?? '')),
)

/** The texts of the changes. */
export const undoTexts = (look: UiFrame, page: ReadPage): WordedText[] => {
  const files = plannedUndo(look, page)?.files ?? []
  const sides = sidesIn(files)
  return files.flatMap(({ file_key }, i) =>
    wordedTexts(file_key, [sides[i]!.before, sides[i]!.after]),
  )
}

const linesOf = latest((files: readonly UndoneFile[], names: Snapshot['names'], words: Words) => {
  const sides = sidesIn(files)
  const name = (id: string) => shownNameOf({ names } as Snapshot, id)
  return files.flatMap(({ file_key, removed, restored, lost, overlaps, diff }, i): Row[] => [
    [said(file_key, 'strong'), seg('  '), seg(`-${removed} +${restored} characters`, 'dim')],
    ...overlaps.map(
      ({ by, ...range }): Row => [
        seg('  overlap ', 'warn'),
        seg(`${linesText(range)} with `),
        said(by.map((id) => (id === '?' ? 'somebody' : name(id))).join(', '), 'accent'),
      ],
    ),
    ...(lost === 0
      ? []
      : [[seg(`  ${counted(lost, 'character')} cannot come back: nobody keeps them`, 'warn')]]),
    ...(diff == null
      ? [[seg('  the diff is left out: clawlink-agent undo --key', 'dim')]]
      : diffRows(diff, {
          before: wordsIn(words, file_key, sides[i]!.before),
          after: wordsIn(words, file_key, sides[i]!.after),
        })),
    [],
  ])
})
