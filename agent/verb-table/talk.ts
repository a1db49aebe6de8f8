import { types } from '../../lib/command-line/value-types.ts'
import { FIND_PLACES } from '../../workspace/actions/inputs/find.ts'
import * as inputs from '../../workspace/actions/inputs/talk.ts'
import type { VerbSpec } from '../command/verb.ts'
import { fromInput } from './from-input.ts'

const STORM = { 4: 'too many answers in one chain of messages' } as const

/** Verbs for sending messages. */
export const TALK: readonly VerbSpec[] = [
  {
    name: 'broadcast',
    summary: 'tell everybody what you learned',
    ...fromInput(inputs.broadcast, { textOrFile: 'content' }),
    examples: [
      'broadcast --content "main is frozen until noon" --topic release --tags ci,main',
      'broadcast --file findings.md --topic api',
    ],
    exits: STORM,
    load: async () => (await import('../verbs/talk/broadcast.ts')).broadcast,
  },
  {
    name: 'send',
    summary: 'send one agent a message; --reply-to makes it an answer',
    ...fromInput(inputs.send, { textOrFile: 'content' }),
    examples: [
      'send Scout "which branch?"',
      'send --to Scout --file findings.md --reply-to m-4k2j9x0q7m1z',
    ],
    exits: { 3: 'no such agent', ...STORM },
    load: async () => (await import('../verbs/talk/send.ts')).send,
  },
  {
    name: 'log',
    summary: 'show messages: the newest, or those since a time or a message',
    about:
      'Reads the log and archive of the server. While the server is away, it reads the local copy and says so.',
    flags: {
      topic: { value: 'TOPIC', type: types.name, what: 'only on this topic' },
      from: { value: 'AGENT', type: types.name, what: 'only by this agent' },
      since: {
        value: 'ID|TIME|SPAN',
        type: types.name,
        what: 'after this message or time, or within this span',
      },
      limit: {
        type: types.number(1, 500),
        what: 'at most this many, up to 500',
        otherwise: 'about 2,000 characters; 50 with --json',
      },
    },
    examples: ['log --topic release --since 2h', 'log --from Scout --limit 10 --json'],
    exits: { 3: 'no such agent or message' },
    load: async () => (await import('../verbs/talk/log.ts')).log,
  },
  {
    name: 'record',
    summary: 'show what happened, or check that nobody rewrote the log of the server',
    about:
      'show: messages, steps of tasks and changes of files, in the order of time. verify: the log of the server must continue what this profile saw of it (docs/record.md).',
    operands: ['action'],
    flags: {
      action: { type: types.oneOf(['show', 'verify']), what: 'what to do' },
      agent: { value: 'AGENT', type: types.name, what: 'show: only what this agent did' },
      task: { value: 'ID', type: types.name, what: 'show: only this task and the edits for it' },
      file: { value: 'PATH', type: types.name, what: 'show: only changes of this file' },
      since: { value: 'TIME|SPAN', type: types.name, what: 'show: only from then on' },
      limit: {
        type: types.number(1, 500),
        what: 'show: at most this many, up to 500',
        otherwise: 'about 2,000 characters; 50 with --json',
      },
    },
    needs: [['action']],
    either: [['task', 'file']],
    examples: ['record show --since 2h', 'record show --task t-4k2j9x0q7m1z', 'record verify'],
    exits: { 3: 'no such agent or file', 5: 'the log is not the one that this profile saw' },
    load: async () => (await import('../verbs/talk/record.ts')).record,
  },
  {
    name: 'sent',
    summary: 'show what became of your messages: stored, delivered, read, answered',
    flags: {
      limit: {
        type: types.count,
        what: 'at most this many',
        otherwise: 'about 2,000 characters; 20 with --json',
      },
    },
    examples: ['sent', 'sent --limit 5'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/talk/sent.ts')).sent,
  },
  {
    name: 'find',
    summary: 'find messages, tasks and lines of shared files by words',
    about: 'Words are found by their beginnings. Searches archived messages and tasks, too.',
    operands: ['query'],
    flags: {
      query: { type: types.text, what: 'the words; words in quotation marks must stand together' },
      in: { type: types.oneOf(FIND_PLACES), what: 'only in these', otherwise: 'all' },
      from: { value: 'AGENT', type: types.name, what: 'only messages and tasks of this agent' },
      topic: { type: types.name, what: 'only messages with this topic' },
      limit: { type: types.number(1, 500), what: 'at most this many, up to 500', otherwise: '20' },
    },
    needs: [['query']],
    examples: ['find "release notes"', 'find timeout --in messages --from Scout'],
    load: async () => (await import('../verbs/talk/find.ts')).find,
  },
]
