import { go } from 'fuzzysort'
import type { FileKey } from '../../protocol/ids.ts'
import { latest } from './frame.ts'
import { type Snapshot, shownNameOf } from './snapshot.ts'
import type { Page } from './state.ts'

/** Something that can be gone to. */
export interface Findable {
  kind: 'file' | 'agent' | 'task' | 'message'
  id: string
  /** Its name or words: the letters are looked for in this. */
  text: string
  what: string
  page: Page
}

/** Found things shown at most (count). */
const MAX_FOUND = 100
/** The newest messages that are looked through (count), and units of each. */
const MAX_MESSAGES = 2_000
const MAX_UNITS = 120
/** Weaker matches than this, from 0 to 1, are left out. */
const THRESHOLD = 0.3

const thingsIn = latest(
  (
    files: Snapshot['files'],
    agents: Snapshot['agents'],
    tasks: Snapshot['tasks'],
    feed: Snapshot['feed'],
    names: Snapshot['names'],
  ): readonly Findable[] => {
    const found: Findable[] = files.map(({ info: { file_key: path, version } }) => ({
      ...{ kind: 'file', id: path, text: path, what: `v${version}` },
      page: { kind: 'editor', path: path as FileKey },
    }))
    for (const { agent } of agents) {
      const { agent_id: id, name, status } = agent
      const page = { kind: 'agent', id, top: 0 } as const
      found.push({ kind: 'agent', id, text: name, what: status, page })
    }
    for (const { task_id: id, task, status } of tasks) {
      const page = { kind: 'task', id, top: 0 } as const
      found.push({ kind: 'task', id, text: task.slice(0, MAX_UNITS), what: status, page })
    }
    for (let i = feed.length - 1, count = 0; i >= 0 && count < MAX_MESSAGES; i--) {
      const { id, kind, text, from } = feed[i]!
      if (kind !== 'broadcast' && kind !== 'direct') continue
      count++
      const what = shownNameOf({ names } as Snapshot, from)
      const page = { kind: 'entry', id, top: 0 } as const
      found.push({ kind: 'message', id, text: text.slice(0, MAX_UNITS), what, page })
    }
    return found
  },
)

const search = latest((things: readonly Findable[], query: string): readonly Findable[] =>
  query.trim() === ''
    ? things.slice(0, MAX_FOUND)
    : go(query, things, { key: 'text', limit: MAX_FOUND, threshold: THRESHOLD }).map(
        ({ obj }) => obj,
      ),
)

/** Files, agents, tasks and messages that have these letters in this order, the best match first. */
export const findThings = (snapshot: Snapshot, query: string): readonly Findable[] => {
  const { files, agents, tasks, feed, names } = snapshot
  return search(thingsIn(files, agents, tasks, feed, names), query)
}
