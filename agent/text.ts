/**
 * Characters that can make a terminal do something, or show other text than is there: C0 and C1 controls, DEL, line
 * separators, zero-width and bidirectional marks, the BOM. Line feed and tab are among them.
 */
const HARMFUL =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }
const escaped = (char: string): string =>
  SHORT[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Any text as one harmless line: a line feed becomes a visible `\n`, an escape `\u001b`. */
export const oneLine = (text: string): string => text.replace(HARMFUL, escaped)

/** Text for a terminal: as `oneLine`, but lines stay lines and tabs stay tabs. */
export const forTerminal = (text: string): string =>
  text.replace(HARMFUL, (char) => (char === '\n' || char === '\t' ? char : escaped(char)))

/** JSON of one line in which nothing can reach a terminal unescaped, and which reads back as the same value. */
export const safeJson = (value: unknown): string => JSON.stringify(value).replace(HARMFUL, escaped)
