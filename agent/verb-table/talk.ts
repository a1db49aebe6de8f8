import { FROM_FILE, KEYED, TRACED, type VerbSpec } from './verb.ts'

const STORM = { 4: 'too many answers in one chain of messages' } as const

/** What is said to others. */
export const TALK: readonly VerbSpec[] = [
  {
    name: 'broadcast',
    summary: 'tell everybody what you learned',
    usage:
      '--content C|-|--file PATH [--topic T] [--tags a,b] [--reply-to ID] [--reset-trace] [--idempotency-key K]',
    flags: {
      content: { value: 'C|-', what: 'the text, at most 64 KiB' },
      ...FROM_FILE,
      topic: {
        value: 'T',
        what: 'what it is about: who subscribed to other topics does not get it',
      },
      tags: { value: 'a,b', what: 'words to find it by' },
      'reply-to': { value: 'ID', what: 'the message that it answers' },
      ...TRACED,
      ...KEYED,
    },
    needs: [['content', 'file']],
    examples: [
      'broadcast --content "main is frozen until noon" --topic release --tags ci,main',
      'broadcast --file findings.md --topic api',
    ],
    exits: STORM,
    load: async () => (await import('../verbs/broadcast.ts')).broadcast,
  },
  {
    name: 'send',
    summary: 'tell one agent something; --reply-to makes it an answer',
    usage:
      '--to ID|NAME --content C|-|--file PATH [--reply-to ID] [--topic T] [--reset-trace] [--idempotency-key K]',
    flags: {
      to: { value: 'ID|NAME', what: 'who gets it' },
      content: { value: 'C|-', what: 'the text, at most 64 KiB' },
      ...FROM_FILE,
      'reply-to': { value: 'ID', what: 'the message that it answers' },
      topic: { value: 'T', what: 'what it is about' },
      ...TRACED,
      ...KEYED,
    },
    needs: [['to'], ['content', 'file']],
    examples: [
      'send --to Scout --content "which branch?"',
      'send --to Scout --file findings.md --reply-to m-4k2j9x0q7m1z',
    ],
    exits: { 3: 'no such agent', ...STORM },
    load: async () => (await import('../verbs/send.ts')).send,
  },
  {
    name: 'log',
    summary: 'what was said: the newest, or what came since a time or a message',
    usage: '[--topic T] [--from ID|NAME] [--since ID|TIME|2h] [--limit N]',
    about: 'Archived and live, from the server; without it what is here, and it says so.',
    flags: {
      topic: { value: 'T', what: 'on this topic only' },
      from: { value: 'ID|NAME', what: 'by this agent only' },
      since: { value: 'ID|TIME|SPAN', what: 'after this message, this time, or for so long' },
      limit: { value: 'N', what: 'at most so many, up to 500', otherwise: '50' },
    },
    examples: ['log --topic release --since 2h', 'log --from Scout --limit 10 --json'],
    exits: { 3: 'no such agent or message' },
    load: async () => (await import('../verbs/log.ts')).log,
  },
  {
    name: 'sent',
    summary: 'what became of what you sent: stored, delivered, read, answered',
    usage: '[--limit N]',
    flags: { limit: { value: 'N', what: 'at most so many', otherwise: '20' } },
    examples: ['sent', 'sent --limit 5'],
    exits: { 3: 'not registered' },
    load: async () => (await import('../verbs/sent.ts')).sent,
  },
]
