import { hostname } from 'node:os'
import type { Replica } from '../../client/replica/replica.ts'
import { randomUint32 } from '../../lib/random.ts'
import type { Json } from '../../workspace/document/schema.ts'

/** A client id that attachments write under, and the process that has it; null: it is free. */
interface Lease {
  clientId: number
  holder: { pid: number; host: string } | null
}

interface Pool {
  /** As of a `Replica`: a copy of one must not use the ids of the other. */
  place: string
  leases: Lease[]
}

const RECORD = 'attach-ids'

/**
 * The Yjs client ids under which attachments of a replica write, a few that are used over and over.
 *
 * No two writers may share one, and one must not be used again by somebody who lacks operations that others have seen
 * under it. What an attachment writes leaves it only to its link, and a link sends nothing on before it is on its
 * disk: what the link does not have when an attachment has ended, nobody has seen, and the next writer, who begins
 * with all that the link has, may number its operations the same. So an id is free when its attachment ends: when it
 * said goodbye, or when its process is gone, which can be told only on the machine it ran on. If it is the connection or
 * the link that ends, the attachment comes back with operations that only it has, and its id is kept for it.
 */
export class AttachIds {
  readonly #replica: Replica
  readonly #used = new Set<number>()
  readonly #leases: Lease[]

  constructor(replica: Replica) {
    this.#replica = replica
    const kept = replica.record(RECORD) as unknown as Pool | undefined
    this.#leases = kept?.place === replica.place ? kept.leases : []
  }

  /**
   * The id for an attachment of process `pid` that had `wanted` before; null: another one has that by now. Resolves
   * once the lease is on the disk.
   */
  async lease(wanted: number | null, pid: number): Promise<number | null> {
    if (wanted !== null && !this.#isFor(wanted, pid)) return null
    const free = this.#leases.find(({ clientId, holder }) => this.#isFree(clientId, holder))
    const clientId = wanted ?? free?.clientId ?? randomUint32()
    await this.hold(clientId, pid)
    return clientId
  }

  /** Notes that a process writes under this id. Resolves once that is on the disk. */
  async hold(clientId: number, pid: number): Promise<void> {
    this.#used.add(clientId)
    const holder = { pid, host: hostname() }
    const lease = this.#leases.find((one) => one.clientId === clientId)
    if (lease === undefined) this.#leases.push({ clientId, holder })
    else lease.holder = holder
    this.#keep()
    await this.#replica.commit()
  }

  /** The connection has ended. `isOver`: for good, so its id is free; else its process may come back. */
  release(clientId: number, isOver: boolean): void {
    this.#used.delete(clientId)
    const lease = this.#leases.find((one) => one.clientId === clientId)
    if (!isOver || lease === undefined || this.#replica.isClosed) return
    lease.holder = null
    this.#keep()
  }

  /**
   * True if this process was the id's last holder. An unknown id was leased by a replica that is
   * lost.
   */
  #isFor(clientId: number, pid: number): boolean {
    if (this.#used.has(clientId)) return false
    const lease = this.#leases.find((one) => one.clientId === clientId)
    return lease === undefined || (lease.holder?.pid === pid && lease.holder.host === hostname())
  }

  #isFree(clientId: number, holder: Lease['holder']): boolean {
    if (this.#used.has(clientId)) return false
    return holder === null || (holder.host === hostname() && !isAlive(holder.pid))
  }

  #keep(): void {
    const pool: Pool = { place: this.#replica.place, leases: this.#leases }
    this.#replica.keepRecord(RECORD, pool as unknown as Json)
  }
}

const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
