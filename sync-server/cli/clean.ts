/** Replaces control characters in a line, because names of agents are not trusted by a terminal. */
export const clean = (line: string): string => line.replace(CONTROLS, ' ')
const CONTROLS = /[\p{Cc}\p{Cf}\u2028\u2029]/gu

/** The same JSON without them. */
export const escaped = (json: string): string =>
  json.replace(CONTROLS, (one) =>
    one.replace(/[\s\S]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`),
  )
