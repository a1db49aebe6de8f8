import type { Message } from '../../workspace/messages/message.ts'

/**
 * Hints are written in the words of the verbs (`--force`, `file-get`). For plain HTTP they are
 * translated into the words of docs/PROTOCOL.md, so each error has one hint. The verbs send
 * VERBS_HEADER.
 */
const WORDS: readonly (readonly [verbs: RegExp, http: string])[] = [
  [/wait --type \S+ blocks until you are asked; tasks\b/, 'GET …/inbox?wait=60 waits; GET …/tasks'],
  [/\btask ID why\b/, 'GET …/tasks/ID why'],
  [/\brespond --status (\w+)/, 'POST …/tasks/ID/status {"state": "$1"}'],
  [/\btasks --ready\b/, 'GET …/tasks?ready=true'],
  [/\brun tasks\b/, 'GET …/tasks'],
  [/\bpoll prints\b/, 'GET …/inbox has'],
  [/\b(?:run )?discover\b( to see| shows)?/, 'GET …/agents$1'],
  [/\b(?:clawlink-agent )?(claim|release) ([\w.-]+)/, 'POST …/tasks/$2/$1'],
  [/: (release|decline|cancel|note)(?=;|$)/g, ': POST …/tasks/ID/$1'],
  [/\bclawlink-agent log\b/, 'GET …/log'],
  [/\bfile-list(?: --changed)?/, 'GET …/files'],
  [/\bfile-log(?: --key[ =]('[^']*'|\S+))?/, 'GET …/files/log?key='],
  [/\bfile-diff shows\b/, 'GET …/files/log shows'],
  [
    /\bfile-get(?: --key[ =](?:'[^']*'|\S+))?(?: it)?(?: (?:with )?--output(?: PATH)?)?(?: --json)?/,
    'GET …/files/content',
  ],
  [/\(file-put\)/, '(PUT …/files/content)'],
  [/\bfile-rm\b/, 'POST …/files/remove'],
  [/\bfile-restore brings\b/, 'PUT …/files/content of a version in …/files/log brings'],
  [/--anyone asks everybody/, 'without "to" and "requires" everybody is asked'],
  [/--(reset-trace|force|all)\b/g, '"$1": true'],
  [/--([a-z][a-z-]*) ([\w.-]+)$/, '"$1": "$2"'],
  [/--([a-z][a-z-]*)/g, '"$1"'],
]

/** The same in the routes of ClawLink 1.x, where it has one. */
const WORDS_1X: readonly (readonly [http: RegExp, plain: string])[] = [
  [/GET …\/files\/content/, 'GET /files/<key>'],
  [/GET …\/files(?![\w/])/, 'GET /files'],
  [/GET …\/agents/, 'GET /discover'],
  [/GET …\/inbox has/, 'GET /poll/<agent_id> has'],
  [/GET …\/inbox\?wait=60 waits/, 'GET /poll/<agent_id>?wait=60 waits'],
  [/POST …\/tasks\/ID\/status \{"state": ("\w+")\}/, 'POST /respond {"status": $1}'],
  [/answer with "to": ("[^"]+")/, 'answer with "to_agent": $1'],
]

const JOIN = /join with a link from the operator of the server: clawlink-agent join -/

/** A hint for plain HTTP; `is1x`: for the routes of ClawLink 1.x, which accept tokens. */
export const httpWords = (hint: string, is1x: boolean): string => {
  if (JOIN.test(hint)) {
    return is1x
      ? 'ask the operator for a new token: clawlink-sync invite --http'
      : 'ask the operator for an invite, and join by it: POST /api/join {"invite", "agent_id"}'
  }
  if (hint.startsWith('clawlink-sync') || hint.includes(': clawlink-sync')) return hint
  const words = is1x ? [...WORDS, ...WORDS_1X] : WORDS
  const said = words.reduce((text, [verbs, http]) => text.replace(verbs, http), hint)
  // Fields of JSON have underscores.
  return said.replace(/"[a-z-]+"/g, (field) => field.replaceAll('-', '_'))
}

/** Messages with their hints in the words of HTTP. */
export const inHttpWords = (messages: readonly Message[]): Message[] =>
  messages.map((message) =>
    'hint' in message ? { ...message, hint: httpWords(message.hint, false) } : message,
  )
