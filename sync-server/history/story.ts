import * as Y from 'yjs'
import type { InsertRun } from '../../lib/attribution/runs.ts'
import { type Struct, structsIn } from '../../lib/yjs/internals.ts'
import type { TaskId } from '../../protocol/ids.ts'
import { MAX_VERSION } from '../../protocol/limits.ts'
import type { StoryEvent } from '../../protocol/story.ts'
import { resolveAgent } from '../../workspace/agents/agents.ts'
import {
  FILE_PREFIX,
  isoTime,
  type TaskFacts,
  type Transition,
} from '../../workspace/document/schema.ts'
import { eachFile } from '../../workspace/files/file-info.ts'
import { keysByFileId } from '../../workspace/files/tree.ts'
import { readArchivedTask } from '../../workspace/tasks/task-archive.ts'
import { entries, historyOf } from '../../workspace/tasks/tasks.ts'
import type { UpdateLog } from '../storage/update-log.ts'
import type { Room } from '../sync/room.ts'
import { readLog } from './log-page.ts'
import { findFile, listVersions } from './versions/read.ts'

export interface StoryQuery {
  agent?: string | undefined
  task?: string | undefined
  file?: string | undefined
  /** The reader: direct messages are told to their sender and their addressee only. */
  for?: string | undefined
  /** Milliseconds since the epoch; events before it are left out. */
  since: number
  limit: number
  now: number
}

/** Archived tasks that are looked at, newest first (count), and files, those changed last. */
const MOST_TASKS = 2_000
const MOST_FILES = 200

/**
 * Returns the newest `limit` events of a workspace, oldest first: messages, steps of tasks, versions of files, repairs and
 * restores. `more`: there are older ones. `task` adds the edits for that task, as far as the record names it. Throws
 * `unknown_agent`, `ambiguous`, `unknown_file`.
 */
export const readStory = async (
  room: Room,
  log: UpdateLog,
  query: StoryQuery,
): Promise<{ events: StoryEvent[]; more: boolean }> => {
  const agent =
    query.agent === undefined
      ? undefined
      : await room.command((doc) => resolveAgent(doc, query.agent!))
  const about = { ...query, agent }
  const all = [
    ...(about.task === undefined && about.file === undefined ? await said(room, log, about) : []),
    ...(about.file === undefined ? await moved(room, log, about) : []),
    ...(about.task === undefined
      ? await written(room, log, about)
      : await edited(room, log, about)),
    ...(about.task === undefined && about.file === undefined ? await noted(room, log) : []),
  ].filter(
    ({ at, agent_id }) =>
      Date.parse(at) >= query.since && (agent === undefined || agent_id === agent),
  )
  all.sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
  return { events: all.slice(-query.limit), more: all.length > query.limit }
}

const said = async (room: Room, log: UpdateLog, query: StoryQuery): Promise<StoryEvent[]> => {
  const { agent: from, for: reader, limit, now } = query
  const page = await readLog(room, log, { from, for: reader, limit, since: null, now })
  return page.entries.map(({ id, at, from, to, topic, content }) => ({
    ...{ at: isoTime(at), kind: 'message' as const, agent_id: from, message_id: id },
    text: to === undefined ? `said on ${topic}: ${content}` : `wrote to ${to}: ${content}`,
  }))
}

const moved = async (room: Room, log: UpdateLog, { task }: StoryQuery): Promise<StoryEvent[]> => {
  const live = await room.command((doc) =>
    [...entries(doc)]
      .filter(({ id }) => task === undefined || id === task)
      .flatMap((entry) => stepsOf(entry.id, entry.facts, historyOf(entry))),
  )
  const end = await log.archiveEnd(room.name, 'tasks')
  const archived: StoryEvent[] = []
  const after = Math.max(0, end - MOST_TASKS)
  const place = task === undefined ? null : await log.archivePosition(room.name, 'tasks', task)
  const [from, count] =
    task === undefined ? [after, end - after] : place === null ? [0, 0] : [place - 1, 1]
  for (const { value } of count === 0 ? [] : await log.archived(room.name, 'tasks', from, count)) {
    const found = readArchivedTask(value)
    if (found === null) continue
    const steps = found.history.map(({ value }) => value)
    archived.push(...stepsOf(found.id, found.facts, steps))
  }
  return [...archived, ...live]
}

const stepsOf = (
  task_id: TaskId,
  { description, from, createdAt }: TaskFacts,
  steps: readonly Transition[],
): StoryEvent[] => {
  const kind = 'task' as const
  return [
    { at: isoTime(createdAt), kind, agent_id: from, task_id, text: `asked for: ${description}` },
    ...steps.map(({ at, by, state, message }) => ({
      ...{ at: isoTime(at), kind, agent_id: by, task_id },
      text: message === '' ? state : `${state}: ${message}`,
    })),
  ]
}

const written = async (room: Room, log: UpdateLog, query: StoryQuery): Promise<StoryEvent[]> => {
  const files = await room.command((doc) => {
    if (query.file !== undefined) return [findFile(doc, query.file)]
    const newest = [...eachFile(doc)].sort((a, b) => (a.updated_at < b.updated_at ? 1 : -1))
    return newest.slice(0, MOST_FILES).map(({ file_key }) => findFile(doc, file_key))
  })
  const events: StoryEvent[] = []
  for (const file of files) {
    const found = await listVersions(log.versions, room.name, file, MAX_VERSION, query.limit)
    for (const { file_key, version, editors, updated_at, ...change } of found.versions) {
      const lines = `+${change.added_lines} -${change.removed_lines} lines`
      const others = editors.length > 1 ? `, with ${editors.slice(1).join(', ')}` : ''
      events.push({
        ...{ at: updated_at, kind: 'file', agent_id: editors[0] ?? null, file_key, version },
        text: `changed ${file_key} to version ${version}: ${lines}${others}`,
      })
    }
  }
  return events
}

/** Edits for a task, as far as the record says so: per file, agent and second. */
const edited = async (room: Room, log: UpdateLog, { task }: StoryQuery): Promise<StoryEvent[]> => {
  const { inserts, deletes } = await log.attribution(room.name, null)
  const owners = await log.owners(room.name)
  const sums = new Map<string, { event: StoryEvent; added: number; removed: number }>()
  await room.command((doc) => {
    const keys = keysByFileId(doc)
    const roots = new Map<unknown, string>([...doc.share].map(([name, type]) => [type, name]))
    const fileOf = (struct: Struct): string | null => {
      const root = struct instanceof Y.Item ? roots.get(struct.parent) : undefined
      return root?.startsWith(FILE_PREFIX)
        ? (keys.get(root.slice(FILE_PREFIX.length)) ?? null)
        : null
    }
    const add = (run: InsertRun, by: string | null, isInsert: boolean): void => {
      if (run.task !== task || run.at === null) return
      const at = isoTime(Math.floor(run.at / 1_000) * 1_000)
      const end = run.clock + run.length
      for (const struct of structsIn(doc, run.client, run.clock, end)) {
        const { id, length } = struct
        const file_key = fileOf(struct)
        if (file_key === null) continue
        const name = `${at} ${by} ${file_key}`
        const sum = sums.get(name) ?? {
          event: { at, kind: 'edit', agent_id: by, file_key, task_id: task!, text: '' },
          ...{ added: 0, removed: 0 },
        }
        const count = Math.min(end, id.clock + length) - Math.max(run.clock, id.clock)
        if (isInsert) sum.added += count
        else sum.removed += count
        sums.set(name, sum)
      }
    }
    for (const runs of inserts.values()) {
      for (const run of runs) add(run, owners.get(run.client) ?? null, true)
    }
    for (const runs of deletes.values()) for (const run of runs) add(run, run.by, false)
  })
  return [...sums.values()].map(({ event, added, removed }) => ({
    ...event,
    text: `edited ${event.file_key}: +${added} -${removed} characters`,
  }))
}

/** Repairs and restores, by the entries of the chain. */
const noted = async (room: Room, log: UpdateLog): Promise<StoryEvent[]> => {
  const events: StoryEvent[] = []
  for await (const { entry } of log.record.entries(room.name)) {
    const { kind, at, seq } = entry
    if (kind === 'folded') continue
    const text = {
      base: `the record begins at position ${seq}`,
      repaired: `the operator repaired the data at position ${seq}`,
      restored: `the operator restored a backup, which ended at position ${seq}`,
    }[kind]
    events.push({ at: isoTime(at), kind: 'record', agent_id: null, text, seq })
  }
  return events
}
