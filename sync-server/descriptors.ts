import { closeSync, openSync } from 'node:fs'
import type { Logger } from 'pino'

/** How often it is looked whether another file could be opened (milliseconds). */
const LOOK_MS = 1_000

const tryOpen = (): void => closeSync(openSync('/dev/null', 'r'))

/**
 * Says in the log that the process has no file descriptor left, and when it has again: the system then closes new
 * connections before Node hears of them, and nothing else tells. Gives what ends that.
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
