import { chmodSync, existsSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'

/** Time between two checks that the socket file still exists, in milliseconds. */
const SOCKET_CHECK_MS = 2_000

export interface IpcServerOptions {
  /** Path of the Unix socket, or name of the Windows pipe. */
  path: string
  onConnection: (socket: Socket) => void
  /** Called when the socket file is gone: no program can reach this process any more. */
  onGone: () => void
}

/** Listens on the home's socket, which only this user may open. */
export class IpcServer {
  readonly #server: Server
  readonly #check: NodeJS.Timeout

  private constructor(server: Server, { path, onGone }: IpcServerOptions) {
    this.#server = server
    this.#check = setInterval(() => {
      if (process.platform !== 'win32' && !existsSync(path)) onGone()
    }, SOCKET_CHECK_MS)
  }

  /**
   * Replaces the socket of an earlier process: call it with the home locked. Throws the errors of `net.Server.listen`.
   */
  static async listen(options: IpcServerOptions): Promise<IpcServer> {
    const { path, onConnection } = options
    const server = createServer(onConnection)
    if (process.platform !== 'win32') rmSync(path, { force: true })
    const umask = process.umask(0o177)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(path, resolve)
    }).finally(() => process.umask(umask))
    if (process.platform !== 'win32') chmodSync(path, 0o600)
    return new IpcServer(server, options)
  }

  /** Stops listening at once; resolves when the last connection has ended. */
  close(): Promise<void> {
    clearInterval(this.#check)
    return new Promise((resolve) => {
      this.#server.close(() => resolve())
    })
  }
}
