import { didYouMean } from '../../../lib/text/suggest.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { Property, Tool } from './tools.ts'

/** The arguments of a call, as its tool's schema names them. */
export interface Input {
  text: (name: string) => string | undefined
  number: (name: string) => number | undefined
  list: (name: string) => readonly string[] | undefined
  has: (name: string) => boolean
  value: (name: string) => unknown
}

/** Characters of a refused value that an error shows. */
const SHOWN = 40

const shown = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
}

const isText = (value: unknown): value is string => typeof value === 'string'

/** A value as its property takes it. Models write numbers as texts, and one name without its list. */
const readValue = (tool: Tool, name: string, property: Property, value: unknown): unknown => {
  const refuse = (what: string, next: string): ClawError =>
    new ClawError('usage', `${tool.name}: ${name} ${what}`, next)
  if (property.enum !== undefined) {
    if (isText(value) && property.enum.includes(value)) return value
    const near = isText(value) ? didYouMean(value, property.enum) : ''
    throw refuse(`cannot be ${shown(value)}`, near || `one of: ${property.enum.join(', ')}`)
  }
  switch (property.type) {
    case 'integer': {
      const number = isText(value) && /^\d{1,15}$/.test(value) ? Number(value) : value
      const most = property.maximum ?? Number.MAX_SAFE_INTEGER
      if (!Number.isSafeInteger(number) || (number as number) < 0) {
        throw refuse(`is not a whole number: ${shown(value)}`, `give 0 to ${most}`)
      }
      return Math.min(number as number, most)
    }
    case 'array': {
      const list = isText(value) ? [value] : value
      if (Array.isArray(list) && list.every(isText)) return list
      throw refuse('is not a list of texts', 'like ["a", "b"]')
    }
    case 'object':
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
      throw refuse('is not a JSON object', 'like {"branch": "main"}')
    default:
      if (isText(value)) return value
      throw refuse('is not a text', 'give a string')
  }
}

/**
 * Reads the arguments of a call. A field that is null counts as absent. Throws `usage` for what the schema does not
 * take, with the nearest name or value as the hint.
 */
export const readInput = (tool: Tool, args: unknown): Input => {
  if (args !== undefined && (typeof args !== 'object' || args === null || Array.isArray(args))) {
    throw new ClawError('usage', `${tool.name}: the arguments are not an object`, 'like {}')
  }
  const { properties, required = [] } = tool.inputSchema
  const values = new Map<string, unknown>()
  for (const [name, value] of Object.entries(args ?? {})) {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined
    if (property === undefined) {
      const known = Object.keys(properties)
      const near = didYouMean(name, known)
      const all = known.length === 0 ? 'it takes none' : `it takes: ${known.join(', ')}`
      throw new ClawError('usage', `${tool.name} has no field ${shown(name)}`, near || all)
    }
    if (value !== null && value !== undefined) {
      values.set(name, readValue(tool, name, property, value))
    }
  }
  for (const name of required) {
    if (values.has(name)) continue
    const options = properties[name]!.enum
    const next = options === undefined ? 'give it' : `one of: ${options.join(', ')}`
    throw new ClawError('usage', `${tool.name}: ${name} is missing`, next)
  }
  return {
    text: (name) => values.get(name) as string | undefined,
    number: (name) => values.get(name) as number | undefined,
    list: (name) => values.get(name) as readonly string[] | undefined,
    has: (name) => values.has(name),
    value: (name) => values.get(name),
  }
}

/** The tool of this name. Throws `usage` with the nearest one. */
export const toolNamed = (tools: readonly Tool[], name: string): Tool => {
  const found = tools.find((tool) => tool.name === name)
  if (found !== undefined) return found
  const names = tools.map((tool) => tool.name)
  const next = didYouMean(name, names) || `there are: ${names.join(', ')}`
  throw new ClawError('usage', `unknown tool ${shown(name)}`, next)
}
