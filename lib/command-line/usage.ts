import { type CommandSpec, type Flag, valueText } from './spec.ts'

const withValue = (name: string, flag: Flag): string => {
  const value = valueText(flag)
  if (value === '') return `--${name}`
  return flag.optional ? `--${name} [${value}]` : `--${name} ${value}`
}

/** Stands for optional flags. */
const FLAGS = '[flags]'

/**
 * The arguments of a command, generated from its flags: operands first; optional ones in []. `isShort`: without optional
 * flags.
 */
export const usageOf = (spec: CommandSpec, isShort = false): string => {
  const { flags, operands = [], needs = [], either = [], usage } = spec
  if (usage !== undefined) return usage
  const shown = Object.keys(flags).filter((name) => flags[name]!.hidden !== true)
  const isOperand = (name: string) => operands.includes(name)
  const one = (name: string): string => {
    const needing = shown.filter((other) => flags[other]!.with === name)
    const alone = isOperand(name) ? valueText(flags[name]!) : withValue(name, flags[name]!)
    const more = needing.map((other) => (flags[other]!.isPair ? one(other) : `[${one(other)}]`))
    return [alone, ...more].join(' ')
  }
  const done = new Set(shown.filter((name) => flags[name]!.with !== undefined))
  const parts: string[] = []
  const add = (names: readonly string[], isNeeded: boolean): void => {
    const left = names.filter((name) => shown.includes(name) && !done.has(name))
    for (const name of left) done.add(name)
    const all = left.map(one).join(' | ')
    if (all === '') return
    if (isShort && !isNeeded && !left.some(isOperand)) {
      parts.push(FLAGS)
      return
    }
    parts.push(isNeeded ? (left.length > 1 ? `(${all})` : all) : `[${all}]`)
  }
  const groupOf = (name: string): [readonly string[], boolean] => {
    const need = needs.find((names) => names.includes(name))
    return need === undefined
      ? [either.find((names) => names.includes(name)) ?? [name], false]
      : [need, true]
  }
  // Required ones come first, then operands in their order.
  const order = [...operands, ...needs.flat(), ...shown]
  for (const name of order) if (!done.has(name)) add(...groupOf(name))
  const isFirst = (part: string, i: number) => part !== FLAGS || parts.indexOf(part) === i
  return parts.filter(isFirst).join(' ')
}

/** A flag as a message names it: by its value where that stands alone and speaks for itself, else by its name. */
export const calledIn = ({ flags, operands = [] }: CommandSpec, name: string): string => {
  const flag = flags[name]
  if (flag === undefined || !operands.includes(name)) return `--${name}`
  const value = valueText(flag).replace(/\|-$/, '')
  return value.includes('|') || value.toLowerCase() === name ? value : `--${name}`
}
