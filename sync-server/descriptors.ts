import { closeSync, openSync } from 'node:fs'
import type { Logger } from 'pino'

/** Milliseconds between two attempts to open a file. */
const LOOK_MS = 1_000

const tryOpen = (): void => closeSync(openSync('/dev/null', 'r'))

/**
 * Logs when the process runs out of file descriptors, and when some are free again. Without
 * descriptors the system closes new connections before Node sees them, so nothing else reports it.
 * Returns a function that stops the watch.
 */
export const watchDescriptors = (
  log: Pick<Logger, 'error' | 'info'>,
  open = tryOpen,
): (() => void) => {
  let isOut = false
  const look = (): void => {
    let code: string | undefined
    try {
      open()
    } catch (error) {
      ;({ code } = error as NodeJS.ErrnoException)
    }
    const isNow = code === 'EMFILE' || code === 'ENFILE'
    if (isNow && !isOut) {
      log.error(
        { code, hint: 'raise the limit: ulimit -n, or LimitNOFILE of systemd' },
        'no file descriptor is left: new connections are closed, and nothing can be opened',
      )
    }
    if (isOut && !isNow) log.info('file descriptors are free again')
    isOut = isNow
  }
  const timer = setInterval(look, LOOK_MS)
  timer.unref()
  return () => clearInterval(timer)
}
