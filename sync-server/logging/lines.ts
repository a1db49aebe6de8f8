/** The fields of every record of pino that a line for people leaves out, or has at its start. */
const OWN = new Set(['level', 'time', 'pid', 'hostname', 'name', 'msg'])

const LEVELS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/** Characters that could move the cursor of a terminal, or hide a text. */
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** Longest value of a field in a line (characters). */
const MAX_VALUE = 300

const valueText = (value: unknown): string => {
  const isList = Array.isArray(value) && value.every((one) => typeof one === 'string')
  const plain = isList ? value.join(',') : value
  const whole = typeof plain === 'string' ? plain : (JSON.stringify(plain) ?? '')
  const text = whole.replace(CONTROLS, ' ')
  const short = text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE)}…`
  return /^[^\s"=]*$/.test(short) ? short : JSON.stringify(short)
}

/** An error, as pino writes it: its message; its stack is in the JSON. */
const isError = (value: unknown): value is { message: string } =>
  typeof value === 'object' && value !== null && typeof (value as Error).message === 'string'

/** The local time of day, to the second. */
const clock = (time: number): string => new Date(time).toTimeString().slice(0, 8)

/**
 * A record of the log as one line for people: local time, level, message, fields. Any other text stays as it
 * is. Nothing in the line can move the cursor.
 */
export const logLine = (record: string): string => {
  let read: Record<string, unknown>
  try {
    read = JSON.parse(record) as typeof read
  } catch {
    return record
  }
  const fields = Object.entries(read)
    .filter(([name, value]) => !OWN.has(name) && value !== undefined)
    .map(([name, value]) => `${name}=${valueText(isError(value) ? value.message : value)}`)
  const level = LEVELS[Number(read.level)] ?? String(read.level)
  const head = `${clock(Number(read.time))} ${level.padEnd(5)} ${read.msg ?? ''}`
  return `${[head, ...fields].join('  ').trimEnd().replace(CONTROLS, ' ')}\n`
}
