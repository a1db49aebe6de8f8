import { isatty } from 'node:tty'
import { type Logger, pino } from 'pino'
import { redacted } from '../../protocol/roles.ts'
import type { Options } from '../config/options.ts'
import { logLine } from './lines.ts'

/** The log of a server, on stderr: a line for people on a terminal, else JSON. No secret reaches it. */
export const createLog = (
  { logLevel, logFormat }: Pick<Options, 'logLevel' | 'logFormat'>,
  write: (text: string) => unknown,
): Logger => {
  const isText = logFormat === 'text' || (logFormat === 'auto' && isatty(2))
  const shown = isText ? logLine : (record: string) => record
  return pino(
    { name: 'clawlink-sync', level: logLevel },
    { write: (record: string) => void write(shown(redacted(record))) },
  )
}
