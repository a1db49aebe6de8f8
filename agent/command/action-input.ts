import {
  checkMoment,
  type Field,
  type Fields,
  flagName,
  type InputOf,
} from '../../workspace/actions/inputs/field.ts'
import { checkFileKey } from '../../workspace/document/path.ts'
import type { Call } from './call.ts'

const readField = (call: Call, flag: string, { shape, otherwise }: Field<unknown>): unknown => {
  if (shape.kind === 'yes') return call.has(flag)
  if (!call.has(flag)) return otherwise
  switch (shape.kind) {
    case 'json':
      return call.json(flag)
    case 'path':
      return checkFileKey(call.flag(flag)!)
    case 'list':
      return call.list(flag)
    case 'number':
      return call.number(flag)
    case 'moment':
      checkMoment(call.flag(flag)!)
      return call.flag(flag)
    default:
      return call.typed(flag)
  }
}

/**
 * An action's input from the flags of its verb. `given`: the fields that no flag of their own gives, or whose texts can come
 * from a file. Throws `usage`, `bad_text`, `bad_json`, `bad_path`.
 */
export const inputOf = <F extends Fields>(
  call: Call,
  fields: F,
  given: Partial<InputOf<F>> = {},
): InputOf<F> => {
  const input: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const value = Object.hasOwn(given, name)
      ? given[name as keyof InputOf<F>]
      : readField(call, flagName(name, field), field)
    if (value !== undefined) input[name] = value
  }
  return input as InputOf<F>
}
