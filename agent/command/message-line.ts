import type * as Y from 'yjs'
import { counted } from '../../lib/text/count.ts'
import { shorten } from '../../lib/text/shorten.ts'
import { staleText } from '../../workspace/files/stale.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { findEntry } from '../../workspace/tasks/tasks.ts'
import { field, idText, oneLine, path, safeJson, who, withBody, words } from './text.ts'

/** A message: its fields on one line, and what its sender wrote freely last. Nothing in that can pass for a field. */
export const messageLines = (doc: Y.Doc, message: Message): string[] => {
  // A digest of one is shown as that one.
  if (message.type === 'digest' && message.broadcasts.length === 1)
    return messageLines(doc, message.broadcasts[0]!)
  const { type, message_id, from_agent } = message
  const from = from_agent === '' ? '' : `from ${who(doc, from_agent)} `
  const { head, body } = detailsOf(doc, message)
  // The id of such a message is an id or a path that follows anyway, and a time.
  const id = type === 'agent_joined' || type === 'file_removed' ? '' : `${idText(message_id)} `
  const line = `${type} ${id}${from}${head}`
  return body === undefined ? [oneLine(line)] : withBody(line, body)
}

/** Characters of each broadcast in a digest's lines. */
const DIGEST_LINE_CHARACTERS = 160
/** Hunks that a line names (count). */
const MAX_NAMED_HUNKS = 10

interface Details {
  head: string
  /** The text of its sender. */
  body?: string
}

const plain = (...parts: string[]): Details => ({ head: parts.join(' ') })

const detailsOf = (doc: Y.Doc, message: Message): Details => {
  switch (message.type) {
    case 'task_delegation':
    case 'task_response':
    case 'task_update':
      return taskDetails(doc, message)
    case 'knowledge_broadcast': {
      const { topic, tags, reply_to, content } = message
      const reply = reply_to === undefined ? '' : ` reply_to=${idText(reply_to)}`
      const tagged = tags.length === 0 ? '' : ` tags=${words(tags)}`
      return { head: `topic=${field(topic)}${tagged}${reply} content:`, body: content }
    }
    case 'direct_message': {
      const { topic, reply_to, content } = message
      const reply = reply_to === null ? '' : ` reply_to=${idText(reply_to)}`
      return { head: `topic=${field(topic)}${reply} content:`, body: content }
    }
    case 'look_together':
      return { head: 'text:', body: message.content }
    case 'task_note':
      return { head: 'note:', body: message.text }
    case 'task_canceled':
      return { head: 'reason:', body: message.reason }
    case 'unreadable':
      return { head: 'text:', body: message.text }
    case 'command_refused': {
      const { command, error, result } = message
      const head = `command=${field(command)} refused: ${safeJson(error.message)} result:`
      return { head, body: result }
    }
    case 'digest': {
      const { broadcasts, total, hint } = message
      const newest = broadcasts.map(({ content }) =>
        safeJson(shorten(content, DIGEST_LINE_CHARACTERS)),
      )
      const head = `${counted(total, 'broadcast')} before you joined (all: ${hint}); newest:`
      return { head, body: newest.join('\n') }
    }
    case 'file_updated':
    case 'files_changed':
    case 'file_conflict':
    case 'file_removed':
      return fileDetails(message)
    case 'file_suggestion': {
      const { file_key, hunks, note, task, message_id: id } = message
      const how = `file-suggestions --id ${id} shows it; file-accept ${id} or file-reject ${id} --reason TEXT`
      const of = task === undefined ? '' : ` task=${idText(task)}`
      const head = `file: ${path(file_key)} ${counted(hunks, 'hunk')}${of} (${how})`
      return note === '' ? { head } : { head: `${head} note:`, body: note }
    }
    case 'suggestion_judged': {
      const { file_key, verdict, hunks, waiting, reason, version } = message
      const named = hunks.slice(0, MAX_NAMED_HUNKS).join(',')
      const more = hunks.length > MAX_NAMED_HUNKS ? ',…' : ''
      const head = [
        `${verdict} hunks=${named}${more}`,
        ...(version === undefined ? [] : [`version=${version}`]),
        ...(waiting === 0 ? [] : [`waiting=${waiting}`]),
        `file: ${path(file_key)}`,
      ].join(' ')
      return reason === '' ? { head } : { head: `${head} reason:`, body: reason }
    }
    case 'agent_joined': {
      const { capabilities, machine, description } = message.agent
      const head = `machine=${field(machine)} capabilities=${words(capabilities)} description:`
      return { head, body: description }
    }
  }
}

type Of<T extends Message['type']> = Extract<Message, { type: T }>

const taskDetails = (
  doc: Y.Doc,
  message: Of<'task_delegation' | 'task_response' | 'task_update'>,
): Details => {
  switch (message.type) {
    case 'task_delegation': {
      const { priority, context, task, requires, attempt, deadline, ref } = message
      const head = [
        `priority=${priority}`,
        ...(requires === undefined ? [] : ['open: claim it before you begin']),
        ...(attempt === undefined ? [] : [`attempt=${attempt}`]),
        ...(deadline === undefined ? [] : [`deadline=${deadline}`]),
        ...(ref === undefined ? [] : [`ref=${idText(ref)}`]),
        ...(context === null ? [] : [`context=${JSON.stringify(context)}`]),
        'task:',
      ].join(' ')
      return { head, body: task }
    }
    case 'task_response': {
      const { status, event, percent, result_json: json, artifacts = [], stale = [] } = message
      const { result } = message
      // An approval repeats the words of the one who did the work.
      const worker = event === 'approved' ? findEntry(doc, message.message_id)?.status.owner : null
      const head = [
        `status=${status}`,
        ...(event === undefined || event === 'claimed' ? [] : [`event=${event}`]),
        ...(percent === undefined ? [] : [`percent=${percent}`]),
        ...(json === undefined ? [] : [`json=${JSON.stringify(json)}`]),
        ...artifacts.map(({ file_key, version }) => `artifact=${path(file_key)}@${version}`),
        ...stale.map((file) => `stale=${safeJson(`${file.file_key} ${staleText(file)}`)}`),
      ].join(' ')
      if (worker != null) return { head: `${head} result of ${who(doc, worker)}:`, body: result }
      return result === '' ? { head } : { head: `${head} result:`, body: result }
    }
    case 'task_update': {
      const { event, status, text, message_id: id } = message
      const head = `event=${event} status=${status}`
      if (event !== 'approval-asked') return { head: `${head} text:`, body: text }
      const how = `approve ${id} or decline ${id} --reason TEXT`
      const asked = findEntry(doc, id)?.facts.description ?? ''
      const of = safeJson(shorten(asked.split('\n', 1)[0]!, DIGEST_LINE_CHARACTERS))
      return { head: `${head} (${how}) task=${of} result:`, body: text }
    }
  }
}

const fileDetails = (
  message: Of<'file_updated' | 'files_changed' | 'file_conflict' | 'file_removed'>,
): Details => {
  switch (message.type) {
    case 'file_updated': {
      const { version, from_version: from, file_key, added, removed, lines } = message
      return plain(
        `version=${version}`,
        ...(from === undefined ? [] : [`from_version=${from}`]),
        ...(added === undefined ? [] : [`+${added}`, `-${removed}`]),
        ...(lines === undefined || lines === '' ? [] : [`lines=${lines}`]),
        `file: ${path(file_key)}`,
      )
    }
    case 'files_changed': {
      const { updated, removed, file_keys, hint } = message
      const some = file_keys.slice(0, 3).map(path).join(', ')
      return plain(`${updated} updated, ${removed} removed, among them ${some} (${hint})`)
    }
    case 'file_conflict': {
      const { file_key, from_line, to_line } = message
      return plain(
        `file: ${path(file_key)} lines ${from_line}-${to_line} were changed by both of you at the same time: file-get it and settle it`,
      )
    }
    case 'file_removed': {
      const { file_key, moved_to } = message
      return plain(`file: ${path(file_key)}${moved_to === null ? '' : ` is now ${path(moved_to)}`}`)
    }
  }
}
