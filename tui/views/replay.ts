import type { Task } from '../../workspace/tasks/tasks.ts'
import { tasksAfter, withArchived, withArchivedTasks } from '../model/board-past.ts'
import type { FeedEntry } from '../model/feed.ts'
import { clock, latest, type UiFrame } from '../model/frame.ts'
import { dataOf, type Need } from '../model/reads.ts'
import { shownNameOf } from '../model/snapshot.ts'
import { finder } from '../model/sorted.ts'
import type { ReadPage } from '../model/state.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { cardRows, columnRows, columnsWith } from './board.ts'
import { fill } from './parts/list.ts'
import type { PageItems, PageView } from './parts/page-view.ts'
import { sliderRow } from './parts/slider.ts'
import { kindMark, kindWord } from './parts/symbols.ts'

/** Entries that are shown under the board: the one that happens, and those before it (count). */
const TOLD = 5
/** Lines of the page around board and entries. */
const HEAD = 3

const placeOf = finder<FeedEntry>(({ id }) => id)

/** The newest tasks of the archive; older ones are not played. */
const ARCHIVE: Need = { argv: ['tasks', '--archived', '--limit=500'], stamp: 'once' }
const NO_TASKS: readonly Task[] = []

export const replayNeeds = (): Need[] => [ARCHIVE]

const archivedIn = ({ reads }: UiFrame): readonly Task[] =>
  dataOf<{ tasks: readonly Task[] }>(reads, ARCHIVE.argv)?.tasks ?? NO_TASKS

const whole = latest(withArchived)
const tasksOf = latest(withArchivedTasks)

/** All that can be played, oldest first. */
export const timelineOf = (look: UiFrame): readonly FeedEntry[] =>
  whole(look.snapshot.feed, archivedIn(look))

/** The entries; the first is where a replay begins. */
export const replayItems = (look: UiFrame, page: ReadPage): PageItems => {
  const feed = timelineOf(look)
  const found = page.at === undefined ? 0 : placeOf(feed, page.at)
  const at = Math.min(Math.max(0, found), feed.length - 1)
  return { count: feed.length, at, idAt: (index) => feed[index]!.id }
}

/** The index of the last entry at or before a time (milliseconds since the epoch); 0: all are later. */
export const entryAtTime = (look: UiFrame, time: number): number =>
  Math.max(
    0,
    timelineOf(look).findLastIndex(({ at }) => at <= time),
  )

const tasksAt = latest(tasksAfter)

/** The board as it was at an entry of the feed, and the entries up to that one. */
export const replayView = (
  look: UiFrame,
  page: ReadPage,
  width: number,
  height: number,
): PageView => {
  const feed = timelineOf(look)
  const items = replayItems(look, page)
  const entry = feed[items.at]
  if (entry === undefined) {
    const lines = [[seg('nothing has happened yet', 'dim')]]
    return { head: [], lines, items: null, isList: false }
  }
  const told = feed.slice(Math.max(0, items.at - TOLD + 1), items.at + 1)
  const head: Row[] = [
    [seg(`The board at ${clock(entry.at, look.snapshot.now)}`, 'strong')],
    sliderRow(page, items, 'event', width, look.plain),
    [],
  ]
  const rows = Math.max(1, height - HEAD - TOLD - 1)
  const then = { ...look, snapshot: { ...look.snapshot, now: entry.at } }
  const known = tasksOf(look.snapshot.taskById, archivedIn(look))
  const columns = columnsWith(tasksAt(feed, items.at + 1, known))
  const moved = columns.findIndex(({ tasks }) =>
    tasks.some(({ task_id }) => task_id === entry.task),
  )
  const board = columnRows(then, columns, Math.max(0, moved), width, rows, (column, cells, lines) =>
    fill(
      columns[column]!.tasks.slice(0, lines).flatMap((task) => cardRows(then, task)),
      cells,
      lines,
    ),
  )
  return {
    head,
    lines: [...board, [], ...told.map((one) => entryRow(look, one, one === entry))],
    ...{ items, isList: false },
  }
}

const entryRow = ({ snapshot, plain }: UiFrame, entry: FeedEntry, isNow: boolean): Row => {
  const { at, kind, from, to, text } = entry
  return [
    seg(`${clock(at, snapshot.now)} `, 'dim'),
    plain ? seg(kindWord(kind)) : kindMark(kind, false),
    seg(' '),
    said(shownNameOf(snapshot, from), 'strong'),
    ...(to === null ? [] : [seg(' → ', 'dim'), said(shownNameOf(snapshot, to))]),
    seg(' '),
    said(text, isNow ? 'plain' : 'dim'),
  ]
}
