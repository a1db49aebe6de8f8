/**
 * Sends everything that packages print by `console` to `print`: stdout is for data. Call it once,
 * before the packages are used; a second call replaces the first.
 */
export const redirectConsole = (print: (...said: unknown[]) => void): void => {
  for (const name of ['log', 'info', 'debug', 'warn', 'error'] as const) console[name] = print
}
