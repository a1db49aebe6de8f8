import type * as Y from 'yjs'
import { counted } from '../../lib/text/count.ts'
import { shorten } from '../../lib/text/shorten.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { field, idText, oneLine, path, safeJson, who, words } from './text.ts'

/** A message on one line, what its sender wrote last: nothing in that can pass for a field. */
export const messageLine = (doc: Y.Doc, message: Message): string => {
  const { type, message_id, from_agent } = message
  const from = from_agent === '' ? '' : `from ${who(doc, from_agent)} `
  return oneLine(`${type} ${idText(message_id)} ${from}${detailsOf(message)}`)
}

/** Characters of each broadcast in a digest's line. */
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
        ...(ref === undefined ? [] : [`ref=${idText(ref)}`]),
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
        ...artifacts.map(({ file_key, version }) => `artifact=${path(file_key)}@${version}`),
        `result: ${result}`,
      ].join(' ')
    }
    case 'task_update':
      return `event=${message.event} status=${message.status} text: ${message.text}`
    case 'knowledge_broadcast': {
      const { topic, tags, reply_to, content } = message
      const reply = reply_to === undefined ? '' : `reply_to=${idText(reply_to)} `
      return `topic=${field(topic)} tags=${words(tags)} ${reply}content: ${content}`
    }
    case 'direct_message': {
      const { topic, reply_to, content } = message
      const reply = reply_to === null ? '' : `reply_to=${idText(reply_to)} `
      return `topic=${field(topic)} ${reply}content: ${content}`
    }
    case 'task_note':
      return `note: ${message.text}`
    case 'task_canceled':
      return `reason: ${message.reason}`
    case 'unreadable':
      return `text: ${message.text}`
    case 'command_refused': {
      const { command, error, result } = message
      return `command=${field(command)} refused: ${safeJson(error.message)} result: ${result}`
    }
    case 'digest': {
      const { broadcasts, total, hint } = message
      const newest = broadcasts.map(({ content }) =>
        safeJson(shorten(content, DIGEST_LINE_CHARACTERS)),
      )
      return `${counted(total, 'broadcast')} before you joined; newest: ${newest.join(' | ')} (all: ${hint})`
    }
    case 'file_updated':
      return [
        `version=${message.version}`,
        ...(message.from_version === undefined ? [] : [`from_version=${message.from_version}`]),
        `file: ${path(message.file_key)}`,
      ].join(' ')
    case 'files_changed': {
      const { updated, removed, file_keys, hint } = message
      const some = file_keys.slice(0, 3).map(path).join(', ')
      return `${updated} updated, ${removed} removed, among them ${some} (${hint})`
    }
    case 'file_conflict': {
      const { file_key, from_line, to_line } = message
      return `file: ${path(file_key)} lines ${from_line}-${to_line} were changed by both of you at the same time: file-get it and settle it`
    }
    case 'file_removed': {
      const { file_key, moved_to } = message
      return `file: ${path(file_key)}${moved_to === null ? '' : ` is now ${path(moved_to)}`}`
    }
    case 'agent_joined': {
      const { capabilities, machine, description } = message.agent
      return `machine=${field(machine)} capabilities=${words(capabilities)} description: ${description}`
    }
  }
}
