import { breath } from '../limits/fair-scheduler.ts'
import { timed } from '../limits/timed.ts'

/** Lists of more entries (count) are written a part at a time. */
const LONG_LIST = 100
/** Work on one answer takes so long (milliseconds), and then others have their turn. */
export const PART_MS = 4

/** Longer texts (UTF-16 units) wait for their turn; what is small does not wait behind what is large. */
const LONG_TEXT = 64 * 1024

const isLarge = (answer: object, depth = 0): boolean =>
  Object.values(answer).some((value: unknown) => {
    if (typeof value === 'string') return value.length > LONG_TEXT
    if (typeof value !== 'object' || value === null) return false
    return Array.isArray(value) ? value.length > LONG_LIST : depth === 0 && isLarge(value, 1)
  })

/**
 * An answer as JSON. That of a long list is made by and by: others have their turn meanwhile. `spent` is told how long it took
 * (milliseconds).
 */
export const toJson = async (answer: object, spent: (ms: number) => void): Promise<string> => {
  if (isLarge(answer)) await breath.next()
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
    await breath.next()
    began = performance.now()
  }
  return `[${parts.join(',')}]`
}
