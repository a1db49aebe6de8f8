import { type Frame, parseFrame } from '../../protocol/frames.ts'
import { type Admission, isLarge, type Work } from './admission.ts'
import type { AwarenessFeed } from './awareness-feed.ts'
import type { Barriers } from './barriers.ts'
import type { Connection } from './connection.ts'
import { isEmptyStateVector, type Readers } from './readers.ts'
import type { Loading } from './turn/loading.ts'
import type { TurnLoop } from './turn-loop.ts'

export interface IntakeEnv {
  /** The most bytes of one awareness state. */
  maxAwareness: number
  now: () => number
  connections: ReadonlySet<Connection>
  loading: Loading
  admission: Admission
  awareness: AwarenessFeed
  barriers: Barriers
  readers: Readers
  turns: TurnLoop
  /** Closes a connection for a frame that it sent. */
  refuse: (connection: Connection, error: unknown) => void
}

const MAX_EARLY_FRAMES = 64

/** The receiving side of a room: passes each frame to its handler. */
export class Intake {
  readonly #env: IntakeEnv

  constructor(env: IntakeEnv) {
    this.#env = env
  }

  /** See `Room.receive`. */
  receive(connection: Connection, message: Uint8Array): Work | null {
    connection.receiving(message.length)
    if (!connection.open) return null
    try {
      const frame = parseFrame(message, this.#env.maxAwareness)
      if (!this.#env.loading.isDone && needsDocument(frame)) this.#postpone(connection, frame)
      else if (isLarge(frame)) return this.#env.admission.acceptLarge(connection, frame)
      else this.handle(connection, frame)
    } catch (error) {
      this.#env.refuse(connection, error)
    }
    return null
  }

  #postpone(connection: Connection, frame: Frame): void {
    // A newcomer's bytes go first; `catchUp` starts building the document once they are sent.
    if (![...this.#env.connections].some(({ reader }) => reader.isRereading))
      this.#env.loading.wake()
    const bytes = connection.receivedBytes
    connection.hold.add(bytes)
    const waiting = this.#env.loading.postpone(() => {
      connection.hold.add(-bytes)
      try {
        if (connection.open) this.handle(connection, frame)
      } catch (error) {
        this.#env.refuse(connection, error)
      }
      if (connection.ws.isPaused) connection.ws.resume()
    })
    if (waiting > MAX_EARLY_FRAMES) connection.ws.pause()
  }

  /** Throws WireError if the frame breaks the grammar or a limit. */
  handle(connection: Connection, frame: Frame): void {
    if (!connection.open) return
    switch (frame.type) {
      case 'syncStep1':
        this.#env.readers.ask(connection, frame.stateVector)
        return
      case 'update':
        this.#env.admission.accept(connection, frame)
        return
      case 'awareness': {
        const { id, speaker } = connection
        this.#env.awareness.apply(id, speaker, frame.entries, this.#env.now())
        return
      }
      case 'queryAwareness':
        connection.reader.missAwareness()
        this.#env.readers.catchUp(connection)
        return
      case 'barrier':
        if (!connection.held.isEmpty) connection.held.queue(frame)
        else this.#env.barriers.add(connection, frame.nonce)
        this.#env.turns.schedule()
    }
  }
}

const isNewcomer = (frame: Frame): boolean =>
  frame.type === 'syncStep1' && isEmptyStateVector(frame.stateVector)

/**
 * True if a frame needs the document, not just the log; awareness needs it for the owners of client
 * ids.
 */
const needsDocument = (frame: Frame): boolean =>
  frame.type === 'update' ||
  frame.type === 'awareness' ||
  frame.type === 'barrier' ||
  (frame.type === 'syncStep1' && !isNewcomer(frame))
