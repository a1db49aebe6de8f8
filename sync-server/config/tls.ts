import { readFileSync } from 'node:fs'
import type { Server } from 'node:https'
import { createSecureContext } from 'node:tls'
import { ClawError } from '../../protocol/errors.ts'

/** Paths of a certificate with its chain, and of its key, in PEM. */
export interface TlsFiles {
  cert: string
  key: string
}

export interface TlsPair {
  cert: Buffer
  key: Buffer
}

/** Reads both. Throws `usage` where they cannot be read, or do not belong together. */
export const readTls = ({ cert, key }: TlsFiles): TlsPair => {
  try {
    const pair = { cert: readFileSync(cert), key: readFileSync(key) }
    createSecureContext(pair)
    return pair
  } catch (error) {
    throw new ClawError(
      'usage',
      `${cert} and ${key} are no certificate with its key: ${(error as Error).message}`,
      'give --tls-cert the certificate with its chain and --tls-key its key, both in PEM',
    )
  }
}

/**
 * Loads a renewed certificate: checks every `everyMs`, and at SIGHUP. Files that are not a pair (a renewal is under
 * way) are ignored, with a call of `warn`. Open connections stay. Returns a function that stops it.
 */
export const followTls = (
  server: Server,
  files: TlsFiles,
  first: TlsPair,
  everyMs: number,
  { renewed, warn }: { renewed: () => void; warn: (error: Error) => void },
): (() => void) => {
  let now = first
  const look = (): void => {
    try {
      const pair = readTls(files)
      if (pair.cert.equals(now.cert) && pair.key.equals(now.key)) return
      server.setSecureContext(pair)
      now = pair
      renewed()
    } catch (error) {
      warn(error as Error)
    }
  }
  const timer = setInterval(look, everyMs)
  timer.unref()
  process.on('SIGHUP', look)
  return () => {
    clearInterval(timer)
    process.off('SIGHUP', look)
  }
}
