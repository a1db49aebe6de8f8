import type { Task } from '../../workspace/tasks/tasks.ts'
import type { About } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import { offersOf, waitFor } from '../model/snapshot.ts'
import { type Place, placeOfPage, topPage } from '../model/state.ts'
import { agentList } from './agents.ts'
import { boardList, boardPlace, columnsOf } from './board.ts'
import { feedList } from './feed.ts'
import { fileTreeList } from './files.ts'
import { forMeList, pickedForMe } from './for-me.ts'
import type { List } from './parts/list.ts'

/** The list that has the keys in the view, whatever page is open over it. */
export const listOf = (look: UiFrame): List => {
  if (look.state.view !== 'tasks') {
    return { me: forMeList, agents: agentList, feed: feedList, files: fileTreeList }[
      look.state.view
    ](look)
  }
  return boardList(look, boardPlace(columnsOf(look), look.state.selected.tasks).column)
}

/** The id of what is picked in the view; null: there is nothing. */
export const pickedId = (look: UiFrame): string | null => {
  const { count, at, idAt } = listOf(look)
  return at >= 0 && at < count ? idAt(at) : null
}

/** True if the picked or open task has a question for this person. */
export const waitsForMe = (look: UiFrame): boolean => {
  const task = pickedTask(look)
  return task !== null && waitFor(look.snapshot, task) === 'answer'
}

/** The commands that this person can give for the picked or open task, none if it is archived; null without a task. */
export const pickedOffers = (look: UiFrame): ReadonlySet<string> | null => {
  if (aboutOf(look, 'task') === null) return null
  const task = pickedTask(look)
  return task === null ? new Set() : offersOf(look.snapshot, task)
}

const pickedTask = (look: UiFrame): Task | null =>
  look.snapshot.taskById.get(aboutOf(look, 'task') ?? '') ?? null

/** The place whose keys apply: that of the open page, of what is picked for this person, or the view. */
export const placeOf = (look: UiFrame): Place => {
  const page = topPage(look.state)
  if (page !== null) return placeOfPage(page)
  const item = look.state.view === 'me' ? pickedForMe(look) : null
  return item === null ? look.state.view : placeOfPage(item.page)
}

/** The subject of a command: the open page, else the picked item; null if it is of another kind. */
export const aboutOf = (look: UiFrame, about: About): string | null => {
  const { view } = look.state
  const page = topPage(look.state)
  if (page?.kind === 'editor') return about === 'file' ? page.path : null
  if (page?.kind === 'history' && about === 'file') return page.id
  if (page !== null) return page.kind === about ? page.id : null
  if (view === 'me') {
    const item = pickedForMe(look)
    const page = item?.page
    if (page?.kind === 'editor') return about === 'file' ? page.path : null
    return page?.kind === about ? page.id : null
  }
  const kind = ({ agents: 'agent', tasks: 'task', feed: 'entry', files: 'file' } as const)[view]
  const id = kind === about ? pickedId(look) : null
  return id === null || (about === 'file' && id.endsWith('/')) ? null : id
}
