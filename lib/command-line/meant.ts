import { didYouMean } from '../text/suggest.ts'
import type { Flag, Flags, Program } from './spec.ts'

/** Names that other programs have for a flag that takes a text. */
const TEXT =
  'content message msg text body note result set input task description prompt title reason why answer reply output response'.split(
    ' ',
  )

/** Flags of one meaning in other programs, or in ClawLink's own: a flag that a command lacks hints at those it has. */
const ALIKE: readonly (readonly string[])[] = [
  ['to', 'agent', 'recipient', 'target', 'assignee', 'name', 'id', 'agent-id', 'owner'],
  ['msg-id', 'task', 'task-id', 'id', 'message-id'],
  ['reply-to', 'in-reply-to', 'thread'],
  ['key', 'path', 'name', 'filename'],
  ['file', 'path', 'input', 'from-file'],
  ['output', 'out', 'dest', 'file'],
  ['find', 'search', 'old', 'pattern'],
  ['replace', 'new', 'with'],
  ['caps', 'capabilities', 'skills', 'requires', 'tags'],
  ['name', 'agent', 'agent-name', 'user', 'id'],
  ['wait', 'timeout', 'seconds', 'block'],
  ['limit', 'count', 'max', 'number', 'tail'],
  ['state', 'status', 'filter'],
  ['expires', 'expiry', 'ttl', 'valid', 'expires-in'],
  ['uses', 'max-uses', 'count'],
  ['force', 'yes', 'overwrite'],
  ['relay', 'server', 'url', 'host', 'address'],
  ['as', 'profile', 'identity', 'agent'],
  ['workspace', 'room', 'space', 'team'],
  ['data', 'data-dir', 'dir', 'folder'],
  ['host', 'bind', 'listen', 'address'],
  ['log-level', 'verbose', 'debug', 'quiet', 'level'],
  ['tls-cert', 'cert', 'certificate'],
  ['tls-key', 'key'],
  ['public-url', 'url', 'external-url'],
]

/** True if its value is a text, which may come from stdin. */
export const takesText = ({ type }: Flag): boolean => type?.kind === 'text' && type.stdin === true

/** A hint that names the flags which `text`, an unknown flag, resembles; empty: none. */
export const meantFlags = (text: string, flags: Flags): string => {
  const typed = text.replace(/^-+/, '').toLowerCase()
  const known = Object.entries(flags).filter(([, { hidden }]) => hidden !== true)
  const alike = known.filter(([flag]) =>
    typed.length === 1
      ? flag.startsWith(typed)
      : flag === typed || ALIKE.some((all) => all.includes(typed) && all.includes(flag)),
  )
  const texts = TEXT.includes(typed) ? known.filter(([, flag]) => takesText(flag)) : []
  const meant = (alike.length > 0 ? alike : texts).map(([flag]) => `--${flag}`)
  if (meant.length > 0) return `did you mean ${meant.slice(0, 3).join(', ')}?`
  if (typed.length === 1) return ''
  return didYouMean(
    `--${typed}`,
    known.map(([flag]) => `--${flag}`),
  )
}

/** The commands of each program, so that one can point to the other. A test compares them with the programs. */
export const COMMANDS_OF: Readonly<Record<string, readonly string[]>> = {
  'clawlink-agent':
    'join invite register discover heartbeat pause resume whoami scan info prime poll wait watch delegate respond tasks task claim release decline approve answer note cancel broadcast send log record sent find file-list file-get file-put file-edit file-append file-diff file-mv file-rm file-log file-blame file-restore file-suggest file-suggestions file-accept file-reject file-intent checkpoint checkpoints diff restore undo mirror up openclaw hosts hook mcp down status leave completion'.split(
      ' ',
    ),
  'clawlink-sync':
    'invite invites agents workspaces role revoke rotate audit recover status log-level backup restore verify repair doctor nodes drain export completion'.split(
      ' ',
    ),
}

/** The command of another program with this name, as typed there; null: no program has it. */
export const commandElsewhere = (program: string, word: string): string | null => {
  const other = Object.keys(COMMANDS_OF).find(
    (name) => name !== program && COMMANDS_OF[name]!.includes(word),
  )
  return other === undefined ? null : `${other} ${word}`
}

/** The command to suggest for `words`, the first of which is unknown; empty: no suggestion. */
export const meantCommand = (program: Program, words: readonly string[]): string => {
  const { name, commands, synonyms = {} } = program
  const [typed = '', next] = words
  const word = typed.toLowerCase()
  const names = commands.map((one) => one.name)
  if (/:\/\/|#w=|\bcli_/.test(typed)) return pastedLink(program)
  if (typed === name) return `leave the second ${name} out`
  const joined = next === undefined ? '' : `${word}-${next.toLowerCase()}`
  for (const one of [word, word.replaceAll('_', '-'), joined]) {
    if (names.includes(one)) return `did you mean ${one}?`
  }
  if (Object.hasOwn(synonyms, word)) return `did you mean ${synonyms[word]}?`
  const elsewhere = commandElsewhere(name, word)
  if (elsewhere !== null) return `did you mean ${elsewhere}?`
  return didYouMean(word, names)
}

const pastedLink = ({ name, commands }: Program): string =>
  commands.some((one) => one.name === 'join')
    ? `to join by a link: ${name} join -, then paste it`
    : 'a join link is for: clawlink-agent join -'

/** The damage that copying from a document did to a command line: long dashes, curly quotes; null: none seen. */
export const pasted = (argv: readonly string[]): string | null => {
  const dash = argv.find((arg) => /^[–—][–—-]*[a-z]/i.test(arg))
  if (dash !== undefined)
    return `"${dash}" begins with a long dash: type --${dash.replace(/^[–—-]+/, '')}`
  const curly = argv.some((arg) => /^[“”‘’„«»]|[“”‘’„«»]$/.test(arg))
  return curly ? 'typographic quotes do not quote: type " or \'' : null
}
