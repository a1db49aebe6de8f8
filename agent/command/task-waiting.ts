import type { TaskWithHistory } from '../../client/http/api.ts'
import { shellFlag, shellWord } from '../../lib/text/quote.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { isTerminal } from '../../workspace/tasks/task-states.ts'
import { type Turn, turnOf } from '../../workspace/tasks/task-turn.ts'
import { findEntry } from '../../workspace/tasks/tasks.ts'
import type { Call, Outcome } from './call.ts'
import { messageLines } from './message-line.ts'
import { findTask, staleLinesOf } from './task-command.ts'
import { idText, oneLine, path, stateText, who, withBody } from './text.ts'
import { unreadText } from './waiting.ts'
import { WorkspaceSession } from './workspace-session.ts'

/** The seconds of `--wait`; infinity without a number; null if the flag is not given. */
export const readWait = (call: Call): number | null =>
  call.has('wait') ? (call.number('wait') ?? Number.POSITIVE_INFINITY) : null

/** Sets the line that Ctrl-C prints from now on. */
export const sayHowToGoOn = ({ request }: Call, ids: readonly string[]): void => {
  const goes = ids.length === 1 ? 'goes' : 'go'
  const line = `${ids.map(idText).join(', ')} ${goes} on; to wait again: clawlink-agent wait`
  request.ifStopped?.(`${line} ${ids.map(shellWord).join(' ')}`)
}

export interface TaskWait {
  ids: readonly string[]
  seconds: number
  /** Only an end or a question ends the wait. */
  untilFinal?: boolean
  /** Messages that end it, too. */
  isNews?: (message: Message) => boolean
}

/** A task in which it is this agent's turn. */
interface Due {
  task: TaskWithHistory
  turn: Turn
}

const FINAL: readonly Turn[] = ['ended', 'answer', 'approve']

/**
 * Resolves once one of some tasks has ended, or `call`'s agent has to do something about it: answer, approve, claim it,
 * go on with it after it was sent back, or leave it after a lost lease. Throws `timeout`, `unknown_task`.
 */
export const waitForTasks = async (call: Call, wait: TaskWait): Promise<Outcome> => {
  const { ids, seconds, untilFinal = false, isNews } = wait
  const { signal } = call.request
  const until = call.request.at + seconds * 1000
  const ends = new AbortController()
  const left = until - Date.now()
  const timer = left < 2 ** 31 ? setTimeout(() => ends.abort(), left) : undefined
  try {
    for (;;) {
      const team = await WorkspaceSession.open(call, true)
      const listening = team.listen({
        tasks: ids,
        ...(isNews !== undefined && { messages: isNews }),
      })
      let over: Outcome | null
      try {
        await team.confirm()
        const tasks: TaskWithHistory[] = []
        for (const id of ids) tasks.push(await findTask(call, team, id))
        const due = tasks.flatMap((task) => dueIn(call, team, task, untilFinal))
        sayHowToGoOn(call, ids)
        const news = isNews === undefined ? [] : await newsIn(call, team, isNews)
        over = due.length + news.length === 0 ? null : outcomeOf(team, wait, due, news)
        if (over === null && (ends.signal.aborted || Date.now() >= until)) {
          throw await timedOut(call, team, tasks, seconds)
        }
      } catch (error) {
        listening.end()
        throw error
      }
      if (over !== null) {
        listening.end()
        return over
      }
      await call.close()
      await listening.heard(AbortSignal.any([signal, ends.signal]))
      if (signal.aborted) throw new ClawError('shutting_down', 'the link was taken down')
    }
  } finally {
    clearTimeout(timer)
  }
}

const dueIn = (
  call: Call,
  { doc }: WorkspaceSession,
  task: TaskWithHistory,
  untilFinal: boolean,
): Due[] => {
  const me = call.profile.state.agent_id
  const entry = findEntry(doc, task.task_id)
  // Only ended tasks leave the document.
  if (entry === undefined) return isTerminal(task.status) ? [{ task, turn: 'ended' }] : []
  if (isTerminal(task.status)) return [{ task, turn: 'ended' }]
  const turn = me === undefined ? null : turnOf(doc, entry, me)
  return turn === null || (untilFinal && !FINAL.includes(turn)) ? [] : [{ task, turn }]
}

const newsIn = async (
  call: Call,
  team: WorkspaceSession,
  isNews: (message: Message) => boolean,
): Promise<Message[]> => {
  if (call.profile.state.agent_id === undefined) return []
  return (await team.inbox()).map(({ message }) => message).filter(isNews)
}

const outcomeOf = (
  team: WorkspaceSession,
  { ids }: TaskWait,
  due: readonly Due[],
  news: readonly Message[],
): Outcome => {
  const [first] = due
  return {
    data: {
      ...first,
      ...(ids.length > 1 && { tasks: due }),
      ...(news.length > 0 && { news: news.map(({ message_id }) => message_id) }),
    },
    lines: [
      ...due.flatMap(({ task, turn }) => [...linesOf(team, task), ...nextOf(task, turn)]),
      ...news.flatMap((message) => messageLines(team.doc, message)),
    ],
  }
}

const timedOut = async (
  call: Call,
  team: WorkspaceSession,
  tasks: readonly TaskWithHistory[],
  seconds: number,
): Promise<ClawError> => {
  const states = tasks.map(({ task_id, status }) => `${task_id} is ${status}`)
  const ids = tasks.map(({ task_id }) => shellWord(task_id)).join(' ')
  const isMember = call.profile.state.agent_id !== undefined
  const unread = isMember ? unreadText(await team.inbox().catch(() => [])) : ''
  const back = tasks.length === 1 ? `; to take it back: cancel ${ids}` : ''
  const on = tasks.length === 1 ? 'it goes' : 'they go'
  return new ClawError(
    'timeout',
    `${states.join(', ')} after ${seconds} s`,
    `${on} on; to wait again: wait ${ids}${back}${unread === '' ? '' : `; ${unread}`}`,
  )
}

/** The command with which this agent goes on. */
const nextOf = ({ task_id, from_agent }: TaskWithHistory, turn: Turn): string[] => {
  const id = shellWord(task_id)
  const next: Record<Turn, string | null> = {
    ended: null,
    answer: `answer ${id} TEXT`,
    approve: `approve ${id}, or: decline ${id} --reason TEXT`,
    work: `respond ${shellFlag('to', from_agent)} --msg-id ${id} --result TEXT`,
    take: `claim ${id}, or: decline ${id} --reason TEXT`,
    lost: `claim ${id}, if you go on with it: your lease is over`,
  }
  return next[turn] === null ? [] : [`next: ${next[turn]}`]
}

const linesOf = (
  { doc }: WorkspaceSession,
  { task_id, status, message, owner, ...task }: TaskWithHistory,
): string[] => {
  const by = owner === null ? '' : ` by ${who(doc, owner)}`
  return [
    ...withBody(`${idText(task_id)} ${stateText(status)}${by}:`, message),
    ...(task.result_json === undefined
      ? []
      : [oneLine(`json: ${JSON.stringify(task.result_json)}`)]),
    ...(task.artifacts ?? []).map(
      ({ file_key, version }) => `artifact: ${path(file_key)} version ${version}`,
    ),
    ...staleLinesOf(task),
  ]
}
