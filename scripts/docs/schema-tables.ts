import {
  type EntryRule,
  GRAMMAR,
  type RootKind,
  type RootRule,
  type TypeRule,
  type Writer,
} from '../../workspace/document/grammar.ts'
import type { RecordRule, Rule } from '../../workspace/document/values.ts'

/**
 * The tables of docs/SCHEMA.md, made of the grammar that the server holds. `npm run docs` writes them;
 * test/workspace/document/schema-tables.test.ts holds that they are the newest.
 */

const WRITERS: Readonly<Record<Writer, string>> = {
  server: 'the server',
  agents: 'each agent under its own id',
  agent: 'that agent',
  author: 'any agent, in its own name',
  counts: 'the owner of the client id; counts only grow',
  anyone: 'anyone',
}
const TYPES = { map: 'Y.Map', list: 'Y.Array', text: 'Y.Text', any: 'any' } as const
const PREFIXED: ReadonlySet<RootKind> = new Set(['file', 'blobs', 'edits'])

const cell = (text: string): string => text.replaceAll('|', '\\|')
const row = (...cells: string[]): string => `| ${cells.map(cell).join(' | ')} |`

const entryWords = ({ value, type }: EntryRule): string =>
  [value?.words, type === undefined ? undefined : typeWords(type)]
    .filter((words) => words !== undefined)
    .join(', or ')

const typeWords = (type: TypeRule): string => {
  if (type.shape === 'text') return 'Y.Text: text, and marks as editors write them'
  if (type.shape === 'any') return 'any Yjs types; values that JSON can hold, and bytes'
  if (type.title !== undefined) return `${type.title}, below`
  if (type.fields !== undefined && type.rest?.type === undefined)
    return `${TYPES[type.shape]}, below`
  const rest = type.rest === undefined ? '' : entryWords(type.rest)
  if (type.shape === 'list') return `Y.Array of ${rest}`
  const most = type.most === undefined ? '' : `; at most ${type.most} keys`
  return `Y.Map: ${type.key!.words} → ${rest}${most}`
}

const rootRow = (kind: RootKind, { writer, name, type }: RootRule): string => {
  const title =
    kind === 'other' ? 'any other name' : PREFIXED.has(kind) ? `\`${kind}:ID\`` : `\`${kind}\``
  const id = PREFIXED.has(kind) ? `. ID: ${name!.words}` : ''
  return row(title, typeWords(type) + id, WRITERS[writer])
}

const fieldsTable = (title: string, { fields = {}, rest }: TypeRule): string[] => [
  ...['', `**${title}**`, '', row('field', 'may be', 'who writes'), row('---', '---', '---')],
  ...Object.entries(fields).map(([name, entry]) =>
    row(`\`${name}\``, entryWords(entry), entry.writer === undefined ? '' : WRITERS[entry.writer]),
  ),
  ...(rest === undefined ? [] : [row('others', entryWords(rest), '')]),
]

const isRecord = (rule: Rule): rule is RecordRule => 'required' in rule

const recordTable = (title: string, { required, optional }: RecordRule): string[] => [
  ...['', `**${title}**`, '', row('field', 'must be'), row('---', '---')],
  ...Object.entries(required).map(([name, rule]) => row(`\`${name}\``, rule.words)),
  ...Object.entries(optional).map(([name, rule]) => row(`\`${name}\`, optional`, rule.words)),
]

/** The records that stand in a type, each once, with where they stand. */
const recordsOf = (path: string, type: TypeRule, found: Map<RecordRule, string>): void => {
  const entries = [
    ...Object.entries(type.fields ?? {}).map(
      ([name, entry]) => [`${path} / ${name}`, entry] as const,
    ),
    ...(type.rest === undefined ? [] : [[path, type.rest] as const]),
  ]
  for (const [at, { value, type: inner }] of entries) {
    if (value !== undefined) addRecord(at, value, found)
    if (inner !== undefined && inner.fields === undefined) recordsOf(at, inner, found)
  }
}

const addRecord = (at: string, rule: Rule, found: Map<RecordRule, string>): void => {
  if (isRecord(rule)) {
    if (!found.has(rule)) found.set(rule, at)
    for (const [name, part] of Object.entries({ ...rule.required, ...rule.optional })) {
      addRecord(`${at} / ${name}`, part, found)
    }
  }
  for (const [name, kind] of Object.entries(rule.kinds ?? {})) {
    addRecord(`${at}, kind \`${name}\``, kind, found)
  }
}

const mapsWithFields = (): [string, TypeRule][] => {
  const found: [string, TypeRule][] = []
  const walk = (title: string, type: TypeRule): void => {
    if (type.fields !== undefined && type.rest?.type === undefined) found.push([title, type])
    if (type.rest?.type !== undefined) walk(type.rest.type.title ?? title, type.rest.type)
  }
  for (const [kind, { type }] of Object.entries(GRAMMAR)) walk(`\`${kind}\``, type)
  return found
}

export const schemaTables = (): string => {
  const maps = mapsWithFields()
  const records = new Map<RecordRule, string>()
  for (const [kind, { type }] of Object.entries(GRAMMAR)) recordsOf(`\`${kind}\``, type, records)
  for (const [title, type] of maps) recordsOf(title, type, records)
  return [
    row('root', 'holds', 'who writes'),
    row('---', '---', '---'),
    ...Object.entries(GRAMMAR).map(([kind, rule]) => rootRow(kind as RootKind, rule)),
    ...maps.flatMap(([title, type]) => fieldsTable(title, type)),
    ...[...records].flatMap(([rule, at]) => recordTable(at, rule)),
  ].join('\n')
}
