import type { CommandSpec, Flag, Flags } from '../../lib/command-line/spec.ts'
import { types, type ValueType } from '../../lib/command-line/value-types.ts'
import {
  type Field,
  type Fields,
  flagName,
  type Shape,
} from '../../workspace/actions/inputs/field.ts'
import { FROM_FILE, KEYED } from '../command/verb.ts'

const typeOf = (shape: Shape): ValueType | undefined => {
  switch (shape.kind) {
    case 'text':
      return types.textOrStdin
    case 'list':
      return types.list
    case 'json':
      return types.json
    case 'choice':
      return types.oneOf(shape.words)
    case 'number':
      return types.number(shape.least, shape.most)
    case 'yes':
      return undefined
    case 'name':
    case 'path':
    case 'moment':
    case 'blob':
    case 'object':
      return types.name
  }
}

/** The flag of a field. */
export const flagOf = (field: Field<unknown>): Flag => {
  const { shape, what = '', word, otherwise } = field
  const type = typeOf(shape)
  const isMoment = shape.kind === 'moment'
  const value = isMoment ? 'SPAN|TIME' : word
  return {
    ...(value !== undefined && { value }),
    ...(type !== undefined && { type }),
    what: isMoment ? `${what}: 30m, 2h, 2030-01-31` : what,
    ...(typeof otherwise === 'string' && otherwise !== '' && { otherwise }),
  }
}

/** The command line's own part of a verb whose flags are made from fields. Its keys are names of fields. */
export interface Own<K extends string> {
  /** Fields without a flag. */
  without?: readonly K[]
  /** Differences of a flag from its field. */
  but?: { readonly [F in K]?: Partial<Flag> }
  /** Flags that stand after the one of a field. */
  after?: { readonly [F in K]?: Flags }
}

/** The flags of fields, in their order. */
export const flagsOf = <F extends Fields>(fields: F, own: Own<keyof F & string> = {}): Flags => {
  const { without = [], but = {}, after = {} }: Own<string> = own
  const flags: [string, Flag][] = []
  for (const [name, field] of Object.entries(fields)) {
    if (!without.includes(name))
      flags.push([flagName(name, field), { ...flagOf(field), ...but[name] }])
    flags.push(...Object.entries(after[name] ?? {}))
  }
  return Object.fromEntries(flags)
}

/** The flags of fields whose values stand alone, in the order of their places. */
export const operandsOf = (fields: Fields, without: readonly string[] = []): string[] =>
  Object.entries(fields)
    .filter(([name, { operand }]) => operand !== undefined && !without.includes(name))
    .sort(([, one], [, two]) => one.operand! - two.operand!)
    .map(([name, field]) => flagName(name, field))

/** Of an action's verb. `textOrFile`: the field whose text `--file` can give. `needs`, `either`: rules besides the fields'. */
interface Rules<K extends string> extends Own<K> {
  textOrFile?: K
  needs?: readonly (readonly string[])[]
  either?: readonly (readonly string[])[]
}

const isRequired = ({ isOptional, otherwise }: Field<unknown>): boolean =>
  isOptional !== true && otherwise === undefined

/** The flags of an action's verb, those that may stand alone, and those that have to be given: its required fields. */
export const fromInput = <F extends Fields>(
  fields: F,
  rules: Rules<keyof F & string> = {},
): Required<Pick<CommandSpec, 'flags' | 'operands' | 'needs' | 'either'>> => {
  const { textOrFile: text, without = [], after = {}, needs = [], either = [] } = rules
  const own = text === undefined ? rules : { ...rules, after: { ...after, [text]: FROM_FILE } }
  const oneOf = (name: string) => {
    const flag = flagName(name, fields[name]!)
    return name === text ? [flag, 'file'] : [flag]
  }
  const required = Object.entries(fields)
    .filter(([name, field]) => isRequired(field) && !without.includes(name))
    .map(([name]) => oneOf(name))
  return {
    flags: { ...flagsOf(fields, own), ...KEYED },
    operands: operandsOf(fields, without),
    needs: [...needs, ...required],
    either: [...either, ...(text === undefined ? [] : [oneOf(text)])],
  }
}
