import * as Y from 'yjs'
import { asWireError, CLOSE } from '../../protocol/frames.ts'
import type { AwarenessFeed } from './awareness-feed.ts'
import type { Barriers } from './barriers.ts'
import type { Connection } from './connection.ts'
import type { Feed } from './feed.ts'
import { awarenessFrame, syncStep1Frame, syncStep2Fragments } from './outgoing/frame-writer.ts'
import type { Principal } from './principal.ts'
import type { Loading } from './turn/loading.ts'
import type { LiveDocument } from './updates/document.ts'

export interface ReadersEnv {
  connections: ReadonlySet<Connection>
  live: LiveDocument
  feed: Feed
  awareness: AwarenessFeed
  barriers: Barriers
  /** Schedules a turn. */
  schedule: () => void
  loading: Loading
  refuse: (connection: Connection, error: unknown) => void
  fail: (error: Error) => void
  onClose: (code: number, reason: string, by: Principal, bytes: number) => void
}

/** An encoded state vector without entries: its sender has nothing of the document. */
export const isEmptyStateVector = (bytes: Uint8Array): boolean =>
  bytes.length === 1 && bytes[0] === 0

/**
 * The sending side of a room: sends its connections the commits that they lack, as far as their
 * sockets take them.
 */
export class Readers {
  readonly #env: ReadersEnv

  constructor(env: ReadersEnv) {
    this.#env = env
  }

  /** Requests the client's updates that the server lacks, and sends the awareness states. */
  greet(connection: Connection): void {
    const { live, awareness } = this.#env
    const { present } = awareness
    const step1 = syncStep1Frame(live.stateVector())
    const greeting = present.length === 0 ? step1 : Buffer.concat([step1, awarenessFrame(present)])
    connection.send([greeting])
  }

  /**
   * Handles a SyncStep1: a newcomer gets the stored updates, others are answered in the next turn.
   */
  ask(connection: Connection, stateVector: Uint8Array): void {
    connection.reader.ask(stateVector)
    if (isEmptyStateVector(stateVector)) {
      this.#guard(connection, this.#env.feed.sendStored(connection))
    } else this.#env.schedule()
  }

  /** Call between turns; `durable` is the log's position that the document holds. */
  answerSyncRequests(durable: number): void {
    const { connections, refuse, live, barriers } = this.#env
    for (const connection of connections) {
      const { reader } = connection
      const { wants } = reader
      if (wants === null || isEmptyStateVector(wants) || !connection.ready) continue
      reader.answered()
      try {
        Y.decodeStateVector(wants)
      } catch (error) {
        refuse(connection, asWireError(error))
        continue
      }
      // From here on a failure is not the reader's fault: the stored document cannot be encoded.
      connection.send(syncStep2Fragments(live.missing(wants)))
      reader.advance(durable)
      barriers.pay(connection)
    }
  }

  /** Sends a reader the commits that it lacks, as far as its socket takes them. */
  catchUp(connection: Connection): void {
    const { feed, barriers, loading, schedule, awareness } = this.#env
    const { reader } = connection
    this.#guard(connection, feed.catchUp(connection))
    barriers.pay(connection)
    if (!connection.ready) return
    if (reader.cursor !== null) loading.served()
    if (reader.wants !== null) schedule()
    if (reader.takeMissedAwareness()) connection.send([awarenessFrame(awareness.present)])
  }

  catchUpAll(): void {
    const { connections, feed } = this.#env
    for (const connection of connections) this.catchUp(connection)
    feed.release(connections)
  }

  /** Sends pings, and disconnects readers that take no data for `slowReaderMs`. */
  beat(now: number, slowReaderMs: number): void {
    const alive = awarenessFrame([])
    for (const connection of this.#env.connections) {
      const { speaker } = connection
      if (connection.cutIfStalled(now, slowReaderMs))
        this.#env.onClose(CLOSE.slowReader, 'slow reader', speaker, 0)
      else if (connection.ready) connection.send([alive])
    }
  }

  #guard(connection: Connection, sending: Promise<void> | null): void {
    sending?.then(() => this.catchUp(connection)).catch((error: Error) => this.#env.fail(error))
  }
}
