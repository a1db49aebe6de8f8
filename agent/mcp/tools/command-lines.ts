import { ClawError } from '../../../protocol/errors.ts'
import type { Input } from './read-input.ts'

/** A command line of clawlink-agent, and what it reads from stdin; null: nothing. */
export interface CommandLine {
  argv: readonly string[]
  stdin: string | null
}

/** A field of a tool, and the flag that takes it. `body`: by stdin, as it may be long or look like a flag. */
interface Taken {
  field: string
  flag: string
  as?: 'body' | 'list' | 'json'
  isRequired?: true
}

/** The command line of an act of a tool. */
interface Act {
  verb: readonly string[]
  takes: readonly Taken[]
}

const takes = (field: string, flag = field, more: Partial<Taken> = {}): Taken => ({
  ...{ field, flag },
  ...more,
})
const needs = (field: string, flag = field, more: Partial<Taken> = {}): Taken =>
  takes(field, flag, { isRequired: true, ...more })
const body = (field: string, flag: string): Taken => needs(field, flag, { as: 'body' })

const wait = (flag: string): Taken => takes('wait', flag)
const key = needs('key')
const task = needs('id', 'task')
const reason = takes('text', 'reason', { as: 'body' })
const artifacts = takes('artifacts', 'artifact', { as: 'list' })
const report = (status: string, flag: 'result' | 'note'): Act => ({
  verb: ['respond', `--status=${status}`],
  takes: [needs('id', 'msg-id'), body('text', flag), artifacts],
})

const DELEGATE: readonly Taken[] = [
  body('text', 'task'),
  takes('to'),
  takes('caps', 'caps', { as: 'list' }),
  takes('priority'),
  takes('context', 'context', { as: 'json' }),
  takes('approve_by', 'approve-by'),
  wait('wait'),
]

/** The acts of the tool `task`. */
const TASK: Readonly<Record<string, Act>> = {
  delegate: { verb: ['delegate'], takes: DELEGATE },
  claim: { verb: ['claim'], takes: [takes('id', 'task'), takes('caps', 'caps', { as: 'list' })] },
  progress: report('in_progress', 'note'),
  done: report('completed', 'result'),
  fail: report('failed', 'result'),
  ask: report('input-required', 'result'),
  decline: { verb: ['decline'], takes: [task, body('text', 'reason')] },
  release: { verb: ['release'], takes: [task, reason] },
  answer: { verb: ['answer'], takes: [task, body('text', 'text')] },
  approve: { verb: ['approve'], takes: [task] },
  cancel: { verb: ['cancel'], takes: [task, reason] },
  note: { verb: ['note'], takes: [task, body('text', 'text')] },
  show: { verb: ['task'], takes: [task] },
  list: { verb: ['tasks'], takes: [] },
}

/** Waits for a task, which `show` with `wait` does. */
const AWAIT: Act = { verb: ['wait'], takes: [task, wait('timeout')] }

const FILE: Readonly<Record<string, Act>> = {
  list: { verb: ['file-list'], takes: [takes('key', 'prefix')] },
  get: { verb: ['file-get'], takes: [key, takes('lines'), takes('version')] },
  edit: {
    verb: ['file-edit'],
    takes: [key, takes('find'), takes('lines'), needs('replace', 'replace', { as: 'body' })],
  },
  put: { verb: ['file-put'], takes: [key, body('text', 'file')] },
  append: { verb: ['file-append'], takes: [key, body('text', 'text')] },
  diff: { verb: ['file-diff'], takes: [key, takes('version', 'since')] },
  log: { verb: ['file-log'], takes: [key] },
  restore: { verb: ['file-restore'], takes: [key, takes('version')] },
  mv: { verb: ['file-mv'], takes: [key, needs('to')] },
  rm: { verb: ['file-rm'], takes: [key] },
  blame: { verb: ['file-blame'], takes: [key, takes('lines')] },
  suggest: { verb: ['file-suggest'], takes: [key, body('text', 'file')] },
  suggestions: { verb: ['file-suggestions'], takes: [takes('key'), takes('id')] },
  accept: { verb: ['file-accept'], takes: [needs('id')] },
  reject: { verb: ['file-reject'], takes: [needs('id'), reason] },
}

/** An undo by what its id names: a task, an earlier undo, else an agent. */
const undoOf = (id = ''): Act => {
  const flag = /^t-/.test(id) ? 'task' : /^u-/.test(id) ? 'id' : 'agent'
  return { verb: ['undo'], takes: [needs('id', flag), takes('key')] }
}

const SAY: readonly Taken[] = [
  body('text', 'content'),
  takes('topic'),
  takes('reply_to', 'reply-to'),
]
const FIND: Act = {
  verb: ['find'],
  takes: [needs('query'), takes('in'), takes('from'), takes('topic'), takes('limit')],
}

const actOf = (tool: string, input: Input): Act => {
  const what = input.text('do') ?? ''
  switch (tool) {
    case 'say':
      return input.has('to')
        ? { verb: ['send'], takes: [needs('to'), ...SAY] }
        : { verb: ['broadcast'], takes: SAY }
    case 'task':
      if (what === 'show' && input.has('wait')) return AWAIT
      if (what !== 'delegate' || input.has('to') || input.has('caps')) return TASK[what]!
      return { verb: ['delegate', '--anyone'], takes: DELEGATE }
    case 'file':
      // Lines are replaced by --with, a text by --replace.
      if (what === 'edit' && input.has('lines') && !input.has('find')) {
        return { verb: ['file-edit'], takes: [key, needs('lines'), body('replace', 'with')] }
      }
      if (what === 'undo') return undoOf(input.text('id') ?? undefined)
      if (what === 'suggest' && input.has('find')) {
        const replace = needs('replace', 'replace', { as: 'body' })
        return { verb: ['file-suggest'], takes: [key, needs('find'), replace] }
      }
      return FILE[what]!
    case 'find':
      return FIND
    default:
      return { verb: ['prime'], takes: [] }
  }
}

const textOf = (value: unknown, as: Taken['as']): string => {
  // A dash stands for stdin on a command line.
  if (value === '-' && as !== 'body')
    throw new ClawError('usage', 'a field is a dash only', 'give more of the text')
  if (as === 'list') return (value as readonly string[]).join(',')
  return as === 'json' ? JSON.stringify(value) : String(value)
}

/**
 * The command line of a call. Throws `usage` for a field that is missing, and for one that the act does not take: a
 * field without effect is a misunderstanding.
 */
export const commandLineOf = (
  tool: string,
  given: readonly string[],
  input: Input,
): CommandLine => {
  const act = actOf(tool, input)
  const what = [tool, ...(input.has('do') ? [input.text('do')] : [])].join(' ')
  const known = ['do', ...act.takes.map(({ field }) => field)]
  const idle = given.find((field) => input.has(field) && !known.includes(field))
  if (idle !== undefined) {
    const fields = known.slice(1).join(', ') || 'nothing'
    throw new ClawError('usage', `${what} does not take ${idle}`, `it takes: ${fields}`)
  }
  const argv = [...act.verb]
  let stdin: string | null = null
  for (const { field, flag, as, isRequired } of act.takes) {
    if (!input.has(field)) {
      if (isRequired) throw new ClawError('usage', `${what}: ${field} is missing`, 'give it')
      continue
    }
    const text = textOf(input.value(field), as)
    if (as === 'body') {
      stdin = text
      argv.push(`--${flag}=-`)
    } else argv.push(`--${flag}=${text}`)
  }
  return { argv, stdin }
}
