import type * as Y from 'yjs'
import { agentName } from '../../workspace/agents.ts'
import { ClawError } from '../../workspace/errors.ts'
import { byPriority, type Message } from '../../workspace/inbox.ts'
import { acknowledge } from '../../workspace/mailbox.ts'
import { shorten } from '../../workspace/shorten.ts'
import type { Verb } from '../call.ts'
import { tellPaused } from '../paused.ts'
import { oneLine } from '../text.ts'
import { readFilter, readSeconds, waitFor } from '../waiting.ts'

export const poll: Verb = async (call) => {
  const limit = readLimit(call.flag('limit'))
  const until = call.request.at + (readSeconds(call, 'wait') ?? 0)
  const { team, found } = await waitFor(call, until, readFilter(call))
  if (team.offline !== null && found.length === 0) throw team.offline

  const handedOut = byPriority(found).slice(0, limit)
  const messages = handedOut.map(({ message }) => message)
  const remaining = found.length - messages.length
  const paused = tellPaused(team)
  const notes = paused.notes
  if (messages.length === 0) notes.push('nothing new')
  if (remaining > 0) notes.push(`${remaining} more: poll again`)
  const after = async () => {
    const replica = await team.reopened()
    acknowledge(replica, team.me(), handedOut, Date.now())
    await replica.commit()
  }
  return {
    data: { messages, count: messages.length, remaining, ...paused.data, ...team.admitOffline() },
    lines: messages.map((message) => lineOf(team.doc, message)),
    notes,
    ...(call.has('peek') || messages.length === 0 ? {} : { after }),
  }
}

const readLimit = (text: string | undefined): number => {
  if (text === undefined) return Number.POSITIVE_INFINITY
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw new ClawError('usage', `--limit ${text} is not a number of messages`, 'like: --limit 10')
}

/** A message on one line, what its sender wrote last: nothing in that can pass for a field. */
const lineOf = (doc: Y.Doc, message: Message): string => {
  const { type, message_id, from_agent } = message
  const from = from_agent === '' ? '' : `from ${agentName(doc, from_agent)} (${from_agent}) `
  return oneLine(`${type} ${message_id} ${from}${detailsOf(message)}`)
}

/** What a digest's line shows of each broadcast. */
const DIGEST_LINE_CHARACTERS = 60

const detailsOf = (message: Message): string => {
  switch (message.type) {
    case 'task_delegation': {
      const { priority, context, task, requires, attempt, deadline, ref } = message
      return [
        `priority=${priority}`,
        ...(requires === undefined ? [] : ['open: claim it before you begin']),
        ...(attempt === undefined ? [] : [`attempt=${attempt}`]),
        ...(deadline === undefined ? [] : [`deadline=${deadline}`]),
        ...(ref === undefined ? [] : [`ref=${ref}`]),
        `context=${JSON.stringify(context)} task: ${task}`,
      ].join(' ')
    }
    case 'task_response': {
      const { status, event, percent, result_json: json, artifacts = [], result } = message
      return [
        `status=${status}`,
        ...(event === undefined || event === 'claimed' ? [] : [`event=${event}`]),
        ...(percent === undefined ? [] : [`percent=${percent}`]),
        ...(json === undefined ? [] : [`json=${JSON.stringify(json)}`]),
        ...artifacts.map(({ file_key, version }) => `artifact=${file_key}@${version}`),
        `result: ${result}`,
      ].join(' ')
    }
    case 'task_update':
      return `event=${message.event} status=${message.status} text: ${message.text}`
    case 'knowledge_broadcast': {
      const { topic, tags, reply_to, content } = message
      const reply = reply_to === undefined ? '' : `reply_to=${reply_to} `
      return `topic=${topic} tags=${tags.join(',')} ${reply}content: ${content}`
    }
    case 'direct_message': {
      const { topic, reply_to, content } = message
      const reply = reply_to === null ? '' : `reply_to=${reply_to} `
      return `topic=${topic} ${reply}content: ${content}`
    }
    case 'task_note':
      return `note: ${message.text}`
    case 'task_canceled':
      return `reason: ${message.reason}`
    case 'command_refused':
      return `command=${message.command} refused: ${message.error.message} result: ${message.result}`
    case 'digest': {
      const { broadcasts, total, hint } = message
      const newest = broadcasts.map(({ content }) => shorten(content, DIGEST_LINE_CHARACTERS))
      return `the newest ${newest.length} of ${total} (${hint}): ${newest.join(' | ')}`
    }
    case 'file_updated':
      return `version=${message.version} file: ${message.file_key}`
    case 'files_changed': {
      const { updated, removed, file_keys, hint } = message
      const some = file_keys.slice(0, 3).join(', ')
      return `${updated} updated, ${removed} removed, among them ${some} (${hint})`
    }
    case 'file_conflict': {
      const { file_key, from_line, to_line } = message
      return `file: ${file_key} lines ${from_line}-${to_line} were changed by both of you at the same time: file-get it and settle it`
    }
    case 'file_removed':
      return `file: ${message.file_key}${message.moved_to === null ? '' : ` is now ${message.moved_to}`}`
    case 'agent_joined': {
      const { capabilities, machine, description } = message.agent
      return `machine=${machine} capabilities=${capabilities.join(',')} description: ${description}`
    }
  }
}
