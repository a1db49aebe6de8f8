import { LazySet } from '../../lib/lazy.ts'
/**
 * The most bytes held for peers at once: in total, per address, and per party. A party is an agent,
 * or all unknown callers of one address.
 */
export interface HeldLimits {
  all: number
  address: number
  party: number
}

/** The bytes and holds of all, of an address, or of a party. */
class Account {
  bytes = 0
  readonly holds = new Set<Hold>()
}

/** The bytes held for one connection or request. They count for its address and its party. */
export class Hold {
  readonly address: string
  #party: string
  #bytes = 0
  #isClosed = false
  readonly #held: Held
  readonly #cut: () => void

  constructor(held: Held, address: string, party: string, cut: () => void) {
    this.#held = held
    this.address = address
    this.#party = party
    this.#cut = cut
  }

  /** An agent, or the unknown callers of an address. */
  get party(): string {
    return this.#party
  }

  get bytes(): number {
    return this.#bytes
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /**
   * Adds `bytes`, or removes them if negative. Beyond a limit the largest hold is cut, which may be
   * this one.
   */
  add(bytes: number): void {
    if (this.#isClosed) return
    this.#bytes += bytes
    this.#held.changed(this, bytes)
  }

  /**
   * The most that one message or answer counts (bytes), so that a larger one fits, but nothing
   * beside it.
   */
  get most(): number {
    return this.#held.most
  }

  /** Moves the hold to a party that is known now. */
  belongsTo(party: string): void {
    if (this.#isClosed || this.#party === party) return
    this.#held.left(this)
    this.#party = party
    this.#held.entered(this)
  }

  /** Releases all bytes. Later calls of `add` have no effect. */
  close(): void {
    if (this.#isClosed) return
    this.#held.left(this)
    this.#bytes = 0
    this.#isClosed = true
  }

  /** Closes the hold, and ends its connection or request. */
  cut(): void {
    this.close()
    this.#cut()
  }
}

/**
 * Accounts for the bytes in memory until peers have sent or received the rest: answers, bodies,
 * frames and unsent data. Beyond an agent's limit, its largest connection or request is cut. Beyond
 * an address's limit or the total, the largest hold of the largest party is cut, so that a small
 * holder never pays for a large one.
 */
export class Held {
  readonly #limits: HeldLimits
  readonly #all = new Account()
  readonly #addresses = new Map<string, Account>()
  readonly #parties = new Map<string, Account>()
  /** Called for each hold before it is cut. */
  onCut: (hold: Hold) => void = () => {}

  constructor(limits: HeldLimits) {
    this.#limits = limits
  }

  /**
   * Opens a hold. `cut` ends the connection or request. `party` null: an unknown caller of that
   * address.
   */
  open(address: string, party: string | null, cut: () => void): Hold {
    const hold = new Hold(this, address, party ?? nobodyOf(address), cut)
    this.entered(hold)
    return hold
  }

  /** The open holds of a party. */
  holdsOf(party: string): Hold[] {
    return [...(this.#parties.get(party)?.holds ?? [])]
  }

  /** Bytes held for a party, or in total. */
  of(party?: string): number {
    return party === undefined ? this.#all.bytes : (this.#parties.get(party)?.bytes ?? 0)
  }

  /** True if `more` bytes would exceed the party's limit. */
  isFull(party: string, more = 0): boolean {
    return this.of(party) + more > this.#limits.party
  }

  /**
   * The most that one message or answer counts (bytes), so that a larger one fits, but nothing
   * beside it.
   */
  get most(): number {
    return this.#limits.party
  }

  #accountsOf({ address, party }: Hold): [Account, Account, Account] {
    return [this.#all, accountIn(this.#addresses, address), accountIn(this.#parties, party)]
  }

  /** Accounts for a hold that changed by `bytes`. `Hold` calls this, `entered` and `left`. */
  changed(hold: Hold, bytes: number): void {
    const accounts = this.#accountsOf(hold)
    for (const account of accounts) account.bytes += bytes
    if (bytes > 0) this.#relieve(accounts)
  }

  entered(hold: Hold): void {
    for (const account of this.#accountsOf(hold)) account.holds.add(hold)
    this.changed(hold, hold.bytes)
  }

  left(hold: Hold): void {
    const { bytes, address, party } = hold
    for (const account of this.#accountsOf(hold)) {
      account.bytes -= bytes
      account.holds.delete(hold)
    }
    forgetEmpty(this.#addresses, address)
    forgetEmpty(this.#parties, party)
  }

  #relieve([all, address, party]: [Account, Account, Account]): void {
    while (party.bytes > this.#limits.party) this.#cut(party.holds)
    while (address.bytes > this.#limits.address) this.#cut(largest(address.holds, partyOf))
    while (all.bytes > this.#limits.all) {
      this.#cut(largest(largest(all.holds, addressOf), partyOf))
    }
  }

  /** Cuts the largest hold; of equal ones the oldest. */
  #cut(holds: Iterable<Hold>): void {
    let most: Hold | null = null
    for (const hold of holds) if (most === null || hold.bytes > most.bytes) most = hold
    this.onCut(most!)
    most!.cut()
  }
}

const partyOf = ({ party }: Hold): string => party
const addressOf = ({ address }: Hold): string => address

/** The holds of the group with the most bytes. */
const largest = (holds: Iterable<Hold>, groupOf: (hold: Hold) => string): Hold[] => {
  const groups = new Map<string, { bytes: number; holds: Hold[] }>()
  for (const hold of holds) {
    const name = groupOf(hold)
    const group = groups.get(name) ?? { bytes: 0, holds: [] }
    groups.set(name, group)
    group.bytes += hold.bytes
    group.holds.push(hold)
  }
  let most = { bytes: -1, holds: [] as Hold[] }
  for (const group of groups.values()) if (group.bytes > most.bytes) most = group
  return most.holds
}

const nobodyOf = (address: string): string => `nobody at ${address}`

const accountIn = (accounts: Map<string, Account>, name: string): Account => {
  const known = accounts.get(name)
  if (known !== undefined) return known
  const account = new Account()
  accounts.set(name, account)
  return account
}

const forgetEmpty = (accounts: Map<string, Account>, name: string): void => {
  if (accounts.get(name)?.holds.size === 0) accounts.delete(name)
}

/**
 * Bytes shared by several holds. They count for one of them, and for another once that one leaves.
 */
export class Shared {
  readonly #bytes: number
  readonly #holders = new LazySet<Hold>()
  #payer: Hold | null = null

  constructor(bytes: number) {
    this.#bytes = bytes
  }

  join(hold: Hold): void {
    this.#holders.add(hold)
    if (this.#payer === null) this.#pay(hold)
  }

  leave(hold: Hold): void {
    if (!this.#holders.delete(hold) || this.#payer !== hold) return
    hold.add(-this.#bytes)
    this.#payer = null
    for (const next of this.#holders) {
      if (next.isClosed) continue
      this.#pay(next)
      return
    }
  }

  #pay(hold: Hold): void {
    this.#payer = hold
    hold.add(this.#bytes)
  }
}
