import { connect } from 'node:net'

/** Time for the answer (milliseconds). */
const ANSWER_MS = 300

/** True if a connection to this address is refused: no process listens there. False if that is not known. */
export const refuses = (address: string): Promise<boolean> =>
  new Promise((resolve) => {
    const { hostname, port, protocol } = new URL(address)
    const host = hostname.replace(/^\[(.*)\]$/, '$1')
    const socket = connect({ host, port: Number(port) || (protocol === 'https:' ? 443 : 80) })
    const end = (isRefused: boolean): void => {
      socket.destroy()
      resolve(isRefused)
    }
    socket.setTimeout(ANSWER_MS, () => end(false))
    socket.once('connect', () => end(false))
    socket.once('error', ({ code }: NodeJS.ErrnoException) => end(code === 'ECONNREFUSED'))
  })
