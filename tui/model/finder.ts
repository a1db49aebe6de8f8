import { go } from 'fuzzysort'
import { termsOf } from '../../lib/text/search.ts'
import type { AgentId, FileKey } from '../../protocol/ids.ts'
import type { Found } from '../../workspace/inbox/find.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/messages/broadcasts.ts'
import type { FeedEntry } from './feed.ts'
import { broadcastOf, saidEntry } from './feed-entries.ts'
import { latest, localTime, type UiFrame } from './frame.ts'
import { dataOf, type Need, nameOfNeed, type Reads } from './reads.ts'
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
/** Things that the server finds by words (count). */
const MAX_BY_WORDS = 50
/** The server searches once nobody has typed for this long, in milliseconds. */
const SEARCH_AFTER_MS = 150
/** The server searches for queries of this many units or more. */
const MIN_QUERY = 2

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

interface Answer {
  found: readonly Found[]
  /** The server was not asked. */
  offline?: true
}

/** The search by words, for the archive and the texts of files; null: there are no words yet. */
export const searchNeed = (query: string, now: number): Need | null =>
  query.trim().length < MIN_QUERY || termsOf(query).length === 0
    ? null
    : {
        argv: ['find', `--query=${query}`, `--limit=${MAX_BY_WORDS}`],
        // Asked again after a minute: others write meanwhile.
        stamp: String(Math.floor(now / 60_000)),
        afterMs: SEARCH_AFTER_MS,
      }

const byWords = latest(
  (answer: Answer | null, query: string, names: Snapshot['names']): readonly Findable[] =>
    (answer?.found ?? []).map((one) => foundThing(one, query, names)),
)

const foundThing = (one: Found, query: string, names: Snapshot['names']): Findable => {
  switch (one.in) {
    case 'tasks': {
      const { task_id: id, task, status, archived } = one.task
      const what = archived === true ? `${status}, archived` : status
      const page = { kind: 'task', id, top: 0 } as const
      return { kind: 'task', id, text: task.slice(0, MAX_UNITS), what, page }
    }
    case 'messages': {
      const { message_id: id, from_agent, timestamp } = one.message
      const { content } = one.message as BroadcastMessage
      const what = `${shownNameOf({ names } as Snapshot, from_agent)}, ${localTime(timestamp)}`
      const page = { kind: 'entry', id, top: 0, query } as const
      return { kind: 'message', id, text: content.slice(0, MAX_UNITS), what, page }
    }
    case 'files': {
      const { file_key, line, text } = one
      const path = file_key as FileKey
      const page = { kind: 'editor', path, ...(line > 0 && { line }) } as const
      if (line === 0) return { kind: 'file', id: path, text: path, what: '', page }
      const said = text.trim().slice(0, MAX_UNITS)
      return { kind: 'file', id: `${path}:${line}`, text: said, what: `${path}:${line}`, page }
    }
  }
}

const joined = latest(
  (near: readonly Findable[], far: readonly Findable[]): readonly Findable[] => {
    const known = new Set(near.map(({ kind, id }) => `${kind} ${id}`))
    return [...near, ...far.filter(({ kind, id }) => !known.has(`${kind} ${id}`))]
  },
)

/**
 * Files, agents, tasks and messages that have these letters in this order, the best match first; then what has the words,
 * archived or within files, as the server has found it.
 */
export const findThings = (
  { snapshot, reads }: Pick<UiFrame, 'snapshot' | 'reads'>,
  query: string,
): readonly Findable[] => {
  const { files, agents, tasks, feed, names, now } = snapshot
  const near = search(thingsIn(files, agents, tasks, feed, names), query)
  const need = searchNeed(query, now)
  if (need === null) return near
  return joined(near, byWords(dataOf<Answer>(reads, need.argv), query, names))
}

/** The state of the search by words; '' if it has ended. */
export const searchState = ({ snapshot, reads }: UiFrame, query: string): string => {
  const need = searchNeed(query, snapshot.now)
  if (need === null) return ''
  const read = reads.get(nameOfNeed(need.argv))
  if (read === undefined) return 'searching …'
  if (read.error !== null) return `not searched: ${read.error.message}`
  return (read.data as Answer).offline === true ? 'offline: not in the archive' : ''
}

/** A message that was found by words; null: it is not there. */
export const foundMessage = (
  reads: Reads,
  query: string,
  id: string,
  me: AgentId | null,
): FeedEntry | null => {
  const need = searchNeed(query, 0)
  const found = need === null ? [] : (dataOf<Answer>(reads, need.argv)?.found ?? [])
  for (const one of found) {
    if (one.in !== 'messages' || one.message.message_id !== id) continue
    return saidEntry(broadcastOf(one.message as BroadcastMessage | DirectMessage), me)
  }
  return null
}
