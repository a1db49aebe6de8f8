import { isBlobName } from '../../protocol/ids.ts'
import {
  MAX_ATTEMPTS_ASKED,
  MAX_BLOB_BYTES,
  MAX_CONTEXT_BYTES,
  MAX_DESCRIPTION_BYTES,
  MAX_HISTORY,
  MAX_KEY_BYTES,
  MAX_LIST_LENGTH,
  MAX_MESSAGE_BYTES,
  MAX_NAME_BYTES,
  MAX_NOTE_BYTES,
  MAX_REMOVED_EDITS,
  MAX_RESULT_BYTES,
  MAX_RESULT_JSON_BYTES,
  MAX_SUGGESTED_HUNKS,
  MAX_SUGGESTION_BYTES,
  MAX_SUGGESTION_READERS,
  MAX_TASK_LINKS,
} from '../../protocol/limits.ts'
import { isAgentId } from '../../protocol/roles.ts'
import { pathProblem } from './path.ts'
import { isWorkspaceName, PRIORITIES, TASK_STATES } from './schema.ts'
import { nameProblem } from './validate.ts'
import {
  byField,
  checked,
  count,
  json,
  line,
  list,
  oneOf,
  orNull,
  record,
  syntax,
  table,
  text,
  time,
} from './values.ts'

/**
 * Rules for the plain values in the document. Their meaning: workspace/document/schema.ts and
 * docs/SCHEMA.md.
 */

export const agentId = syntax('an agent id', (id) => isAgentId(id) && !/^\.+$/.test(id))
/** An agent, or the server. */
const actor = syntax('an agent id or "server"', (id) => id === 'server' || isAgentId(id))
export const taskId = syntax('a task id (t-…)', (id) => /^t-[\w.-]{1,126}$/.test(id))
export const messageId = syntax('a message id (m-…)', (id) => /^m-[\w.-]{1,126}$/.test(id))
/** A message can be a task, too. */
export const spokenId = syntax('the id of a message or task', (id) =>
  /^[mt]-[\w.-]{1,126}$/.test(id),
)
export const workspaceName = syntax('a workspace name', isWorkspaceName)
export const filePath = checked('a path: relative, POSIX, NFC', (key) =>
  key === key.normalize('NFC') ? pathProblem(key) : 'is not in Unicode NFC',
)
/** The path a text was first created under, and where that text moved away since, a number. */
export const fileId = checked('a path, with // and a number where its text moved away', (id) =>
  filePath.problem(id.replace(/\/\/\d{1,15}$/, '')),
)
export const blobName = syntax('a SHA-256 in lower-case hex', isBlobName)
/** A Yjs client id as a key of a map. */
export const clientId = syntax('a Yjs client id in decimal', (id) => /^(0|[1-9]\d{0,15})$/.test(id))
export const nameRule = checked(
  'a name: one line of at most 64 characters that can be seen',
  nameProblem,
)
const label = line(MAX_NAME_BYTES)
export const labelList = list(label, MAX_LIST_LENGTH)
export const machine = label
export const description = text(MAX_DESCRIPTION_BYTES)
export const linkState = oneOf('up', 'down')
export const agentKind = oneOf('agent', 'person')

export const paused = record({ by: agentId, at: time, note: text(MAX_NOTE_BYTES) })

/** Messages before it in a chain (count): readers accept no more than the storm guard. */
const hops = count()

export const broadcastRecord = record(
  {
    id: messageId,
    from: agentId,
    topic: label,
    tags: labelList,
    content: text(MAX_MESSAGE_BYTES),
    at: time,
  },
  { to: agentId, order: time, replyTo: label, trace: spokenId, hops },
)

export const taskFacts = record(
  {
    description: text(MAX_MESSAGE_BYTES),
    context: json(MAX_CONTEXT_BYTES),
    priority: oneOf(...PRIORITIES),
    from: agentId,
    to: orNull(agentId),
    createdAt: time,
  },
  {
    requires: labelList,
    after: list(taskId, MAX_TASK_LINKS),
    afterFailed: oneOf('run'),
    deadline: time,
    parent: taskId,
    ref: taskId,
    maxAttempts: count(MAX_ATTEMPTS_ASKED, 1),
    approver: agentId,
    fresh: oneOf(true),
    trace: spokenId,
    hops,
  },
)

/** Characters of an idempotency key have 4 bytes at most. */
const key = text(4 * MAX_KEY_BYTES)
/** Also holds the text of a result that came too late. */
export const noteRecord = record({ by: agentId, at: time, text: text(MAX_RESULT_BYTES) }, { key })
const newNote = record({ by: agentId, at: time, text: text(MAX_MESSAGE_BYTES) }, { key })

export const receiptEntry = record({ id: spokenId, by: agentId }, { delivered: time, read: time })

export const submission = byField('kind', {
  task: record({ id: taskId, facts: taskFacts }),
  note: record({ task: taskId, note: newNote }),
  receipt: receiptEntry,
})

export const receipt = record({ delivered: time }, { read: time, by: agentId })

const result = record(
  {},
  {
    json: json(MAX_RESULT_JSON_BYTES),
    artifacts: list(record({ file_key: filePath, version: count() }), MAX_TASK_LINKS),
    stale: list(
      record({
        ...{ file_key: filePath, read_version: count(), now_version: count() },
        lines: list(record({ from_line: count(), to_line: count() }), 8),
      }),
      8,
    ),
  },
)
const taskState = oneOf(...TASK_STATES)
const agents = list(agentId, 10_000)

export const taskStatus = record(
  {
    state: taskState,
    owner: orNull(agentId),
    message: text(MAX_RESULT_BYTES),
    at: time,
    revision: count(),
    token: count(),
  },
  {
    ended: count(),
    lost: agents,
    declined: agents,
    percent: count(100),
    result,
    pending: oneOf(true),
    cancel: record({ by: agentId, at: time, reason: text(MAX_RESULT_BYTES), until: time }),
  },
)

export const transition = record(
  {
    state: taskState,
    by: actor,
    message: text(MAX_RESULT_BYTES),
    at: time,
    revision: count(),
    key,
  },
  { event: line(MAX_NAME_BYTES), was: agentId },
)
export const transitions = list(transition, MAX_HISTORY * 2)
export const notes = list(noteRecord, 10_000)

export const offer = record({ to: agentId, at: time, token: count() })

const removed = record(
  { by: agentId, at: time, edits: table(clientId, count(), MAX_REMOVED_EDITS) },
  { movedTo: filePath },
)

export const fileEntryRule = record(
  { fileId, mediaType: line(MAX_NAME_BYTES), createdBy: agentId, createdAt: time },
  { line: count(), removed },
)

export const blobEntry = record({
  size: count(MAX_BLOB_BYTES),
  mediaType: line(MAX_NAME_BYTES),
  by: agentId,
  at: time,
})

/** A version is the sum of the counts of all clients: it stays a safe integer. */
export const editCount = record({ agent: agentId, count: count(2 ** 32, 1), at: time })

export const suggestionId = syntax('the id of a suggestion (s-…)', (id) =>
  /^s-[1-9]\d{0,14}$/.test(id),
)
const hunkNumber = count(MAX_SUGGESTED_HUNKS, 1)

export const suggestionFacts = record(
  {
    fileId,
    key: filePath,
    by: agentId,
    at: time,
    version: count(Number.MAX_SAFE_INTEGER),
    hunks: hunkNumber,
    note: text(MAX_MESSAGE_BYTES),
    to: list(agentId, MAX_SUGGESTION_READERS),
  },
  { task: taskId, approver: agentId, strict: oneOf(true) },
)

/** A Yjs client id and a clock. */
const characterId = list(count(Number.MAX_SAFE_INTEGER), 2)
const hunkText = text(MAX_SUGGESTION_BYTES)
export const suggestedHunk = record(
  { line: count(Number.MAX_SAFE_INTEGER, 1), old: hunkText, new: hunkText },
  { from: characterId, to: characterId },
)
export const suggestedHunks = list(suggestedHunk, MAX_SUGGESTED_HUNKS)

export const suggestionDecision = record(
  {
    by: agentId,
    at: time,
    verdict: oneOf('accepted', 'rejected'),
    hunks: list(hunkNumber, MAX_SUGGESTED_HUNKS),
    reason: text(MAX_MESSAGE_BYTES),
  },
  { version: count(Number.MAX_SAFE_INTEGER) },
)
