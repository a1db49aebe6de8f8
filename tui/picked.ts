import type { About } from './commands.ts'
import type { Look } from './look.ts'
import { topPage } from './state.ts'
import { agentList } from './views/agents.ts'
import { boardPlace, columnsOf } from './views/board.ts'
import { feedList } from './views/feed.ts'
import { fileList } from './views/files.ts'

/** The id of what is picked in the view, whatever page is open over it; null: there is nothing. */
export const pickedId = (look: Look): string | null => {
  if (look.state.view === 'tasks') {
    const columns = columnsOf(look)
    const { column, index } = boardPlace(columns, look.state.selected.tasks)
    return columns[column]?.ids[index] ?? null
  }
  const { ids, at } = { agents: agentList, feed: feedList, files: fileList }[look.state.view](look)
  return ids[at] ?? null
}

/** What a command is about: the page that is open, else what is picked; null where that is of another kind. */
export const aboutOf = (look: Look, about: About): string | null => {
  const { view } = look.state
  const page = topPage(look.state)
  if (page !== null && page.kind !== 'editor') return page.kind === about ? page.id : null
  if (page !== null) return about === 'file' ? page.path : null
  const kind = ({ agents: 'agent', tasks: 'task', feed: 'entry', files: 'file' } as const)[view]
  const id = kind === about ? pickedId(look) : null
  return id === null || (about === 'file' && id.endsWith('/')) ? null : id
}
