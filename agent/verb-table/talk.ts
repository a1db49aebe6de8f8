import { FROM_FILE, KEYED, TRACED, type VerbSpec } from '../command/verb.ts'

const STORM = { 4: 'too many answers in one chain of messages' } as const

/** What is said to others. */
export const TALK: readonly VerbSpec[] = [
  {
    name: 'broadcast',
    summary: 'tell everybody what you learned',
    usage:
      '([--content] C|- | --file PATH) [--topic T] [--tags a,b] [--reply-to ID] [--reset-trace] [--idempotency-key K]',
    operands: ['content'],
    flags: {
      content: { value: 'C|-', what: 'the text, at most 64 KiB' },
      ...FROM_FILE,
      topic: {
        value: 'T',
        what: 'its topic; agents that subscribed only to others do not get it',
      },
      tags: { value: 'a,b', what: 'words to find it by' },
      'reply-to': { value: 'ID', what: 'the message it answers' },
      ...TRACED,
      ...KEYED,
    },
    needs: [['content', 'file']],
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
    usage:
      '[--to] ID|NAME ([--content] C|- | --file PATH) [--reply-to ID] [--topic T] [--reset-trace] [--idempotency-key K]',
    operands: ['to', 'content'],
    flags: {
      to: { value: 'ID|NAME', what: 'the recipient' },
      content: { value: 'C|-', what: 'the text, at most 64 KiB' },
      ...FROM_FILE,
      'reply-to': { value: 'ID', what: 'the message it answers' },
      topic: { value: 'T', what: 'its topic' },
      ...TRACED,
      ...KEYED,
    },
    needs: [['to'], ['content', 'file']],
    examples: [
      'send Scout "which branch?"',
      'send --to Scout --file findings.md --reply-to m-4k2j9x0q7m1z',
    ],
    exits: { 3: 'no such agent', ...STORM },
    load: async () => (await import('../verbs/talk/send.ts')).send,
  },
  {
    name: 'log',
    summary: 'show what was said: the newest, or since a time or a message',
    usage: '[--topic T] [--from ID|NAME] [--since ID|TIME|2h] [--limit N]',
    about:
      'From the server, archive included. While the server is away, from the local copy; it says so.',
    flags: {
      topic: { value: 'T', what: 'only on this topic' },
      from: { value: 'ID|NAME', what: 'only by this agent' },
      since: { value: 'ID|TIME|SPAN', what: 'after this message or time, or within this span' },
      limit: { value: 'N', what: 'at most this many, up to 500', otherwise: '50' },
    },
    examples: ['log --topic release --since 2h', 'log --from Scout --limit 10 --json'],
    exits: { 3: 'no such agent or message' },
    load: async () => (await import('../verbs/talk/log.ts')).log,
  },
  {
    name: 'sent',
    summary: 'show what became of your messages: stored, delivered, read, answered',
    usage: '[--limit N]',
    flags: { limit: { value: 'N', what: 'at most this many', otherwise: '20' } },
    examples: ['sent', 'sent --limit 5'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/talk/sent.ts')).sent,
  },
]
