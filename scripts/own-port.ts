import { createServer } from 'node:net'

/** Below the ephemeral range, which begins at 32768 or above: the kernel hands none of these out. */
const FIRST = 12_000
const PORTS = 20_000
/** Ports of each worker of vitest, and of anybody else. */
const SLICE = 2_000

const slice = Number(process.env.VITEST_POOL_ID ?? 0) % (PORTS / SLICE)
let next = Math.floor(Math.random() * SLICE)

const isFree = async (port: number): Promise<boolean> => {
  const probe = createServer()
  const is = await new Promise<boolean>((resolve) => {
    probe.once('error', () => resolve(false))
    probe.listen(port, '127.0.0.1', () => resolve(true))
  })
  await new Promise((resolve) => probe.close(resolve))
  return is
}

/**
 * A free port that nobody else is given; rejects if there is none. Servers are killed and start again on their port, and meanwhile neither the
 * server of another test nor anybody's connection may have it.
 */
export const ownPort = async (): Promise<number> => {
  for (let tries = 0; tries < SLICE; tries++) {
    const port = FIRST + slice * SLICE + (next++ % SLICE)
    if (await isFree(port)) return port
  }
  throw new Error(`no free port from ${FIRST + slice * SLICE} on`)
}
