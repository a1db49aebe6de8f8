import type { AgentId, FileKey, TaskId } from '../../protocol/ids.ts'
import type { Agent } from '../../workspace/agents/agents.ts'
import type { Presence } from '../../workspace/agents/presence.ts'
import type { FileInfo } from '../../workspace/files/file-info.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import type { AgentLine, FileLine } from './snapshot.ts'

/** The agents in each file now. */
export type Places = ReadonlyMap<AgentId, FileKey>

/** `keys`: file ids → paths. */
export const placesOf = (
  presences: readonly Presence[],
  keys: ReadonlyMap<string, FileKey>,
): Places => {
  const places = new Map<AgentId, FileKey>()
  for (const { agent, cursor } of presences) {
    const key = cursor === undefined ? undefined : keys.get(cursor.file)
    if (key !== undefined) places.set(agent.id, key)
  }
  return places
}

/** Returns the old list if all of its items are the same objects. */
const kept = <T>(old: readonly T[], lines: readonly T[]): readonly T[] =>
  old.length === lines.length && lines.every((line, i) => line === old[i]) ? old : lines

/** The agents' lines; unchanged lines stay the same objects. */
export const agentLines = (
  agents: readonly Agent[],
  places: Places,
  tasks: readonly Task[],
  old: readonly AgentLine[],
): readonly AgentLine[] => {
  const working = new Map<string, TaskId>()
  for (const { status, owner, task_id } of tasks) {
    if (status === 'working' && owner !== null) working.set(owner, task_id)
  }
  const before = new Map(old.map((line) => [line.agent.agent_id, line]))
  const lines = agents.map((agent): AgentLine => {
    const id = agent.agent_id
    const task = (agent.activity?.task as TaskId | undefined) ?? working.get(id) ?? null
    const file = places.get(id) ?? null
    const known = before.get(id)
    const isSame = known?.agent === agent && known.task === task && known.file === file
    return isSame ? known : { agent, task, file }
  })
  return kept(old, lines)
}

/** The files' lines; unchanged lines stay the same objects. */
export const fileLines = (
  files: Iterable<FileInfo>,
  places: Places,
  old: readonly FileLine[],
): readonly FileLine[] => {
  const inside = new Map<FileKey, AgentId[]>()
  for (const [agent, key] of places) inside.set(key, [...(inside.get(key) ?? []), agent])
  const before = new Map(old.map((line) => [line.info.file_key, line]))
  const lines = Array.from(files, (info): FileLine => {
    const known = before.get(info.file_key)
    const editors = inside.get(info.file_key) ?? []
    const isSame = known?.info === info && known.editors.join() === editors.join()
    return isSame ? known : { info, editors }
  })
  return kept(old, lines)
}
