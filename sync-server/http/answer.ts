import { requestBudget } from '../limits/fair-scheduler.ts'
import { timed } from '../limits/timed.ts'

/** Longer lists (count) are serialized in parts. */
const LONG_LIST = 100
/** Time slice of work on one answer (milliseconds). */
export const PART_MS = 4

/** Longer texts (UTF-16 units) wait for a turn, so that small answers do not wait behind large ones. */
const LONG_TEXT = 64 * 1024

const isLarge = (answer: object, depth = 0): boolean =>
  Object.values(answer).some((value: unknown) => {
    if (typeof value === 'string') return value.length > LONG_TEXT
    if (typeof value !== 'object' || value === null) return false
    return Array.isArray(value) ? value.length > LONG_LIST : depth === 0 && isLarge(value, 1)
  })

/**
 * Serializes an answer as JSON; a long list in parts, between which others are served. `spent` is told the
 * milliseconds used.
 */
export const toJson = async (answer: object, spent: (ms: number) => void): Promise<string> => {
  if (isLarge(answer)) await requestBudget.next()
  const written = timed(spent, (value: unknown) => JSON.stringify(value) as string | undefined)
  const fields: string[] = []
  for (const [name, value] of Object.entries(answer)) {
    const json =
      Array.isArray(value) && value.length > LONG_LIST
        ? await listToJson(value, spent)
        : written(value)
    if (json !== undefined) fields.push(`${JSON.stringify(name)}:${json}`)
  }
  return `{${fields.join(',')}}`
}

const listToJson = async (
  list: readonly unknown[],
  spent: (ms: number) => void,
): Promise<string> => {
  const parts: string[] = []
  let began = performance.now()
  for (const entry of list) {
    parts.push(JSON.stringify(entry) ?? 'null')
    if (performance.now() - began < PART_MS) continue
    spent(performance.now() - began)
    await requestBudget.next()
    began = performance.now()
  }
  return `[${parts.join(',')}]`
}
