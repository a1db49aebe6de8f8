/** What may be held for peers at a time (bytes): in all, for an address, and for an agent, or for all who are nobody of an address. */
export interface HeldLimits {
  all: number
  address: number
  party: number
}

/** What is held for one: for all, for an address, or for a party. */
class Account {
  bytes = 0
  readonly holds = new Set<Hold>()
}

/** What is held for one connection, or one request: it counts for its address, and for whose it is. */
export class Hold {
  readonly address: string
  /** Whose it is: an agent, or nobody of an address. */
  party: string
  bytes = 0
  isClosed = false
  readonly #held: Held
  readonly #cut: () => void

  constructor(held: Held, address: string, party: string, cut: () => void) {
    this.#held = held
    this.address = address
    this.party = party
    this.#cut = cut
  }

  /** So many bytes more, or less, are held. Where that is too much in all what holds the most is cut, which may be this. */
  add(bytes: number): void {
    if (!this.isClosed) this.#held.changed(this, bytes)
  }

  /** What one thing counts at most (bytes): so one that is larger is possible, and no more beside it. */
  get most(): number {
    return this.#held.most
  }

  /** It is known now whose it is. */
  belongsTo(party: string): void {
    if (!this.isClosed) this.#held.moved(this, party)
  }

  /** Nothing is held any more. */
  close(): void {
    if (this.isClosed) return
    this.#held.closed(this)
    this.isClosed = true
  }

  /** Ends what it is of. */
  cut(): void {
    this.close()
    this.#cut()
  }
}

/**
 * The bytes that the server holds for peers until they have sent the rest, or taken what is theirs: answers, bodies, frames,
 * what waits to be sent. Where it is too much for an agent, its largest connection or request is cut; where it is too much for an
 * address, or in all, that of whoever there holds the most. So nobody who holds little is cut for what another holds.
 */
export class Held {
  readonly #limits: HeldLimits
  readonly #all = new Account()
  readonly #addresses = new Map<string, Account>()
  readonly #parties = new Map<string, Account>()
  /** Is told of each that is cut. */
  onCut: (hold: Hold) => void = () => {}

  constructor(limits: HeldLimits) {
    this.#limits = limits
  }

  /** `cut` ends the connection or the request. `party` null: nobody, of that address. */
  open(address: string, party: string | null, cut: () => void): Hold {
    const hold = new Hold(this, address, party ?? nobodyOf(address), cut)
    for (const account of this.#accountsOf(hold)) account.holds.add(hold)
    return hold
  }

  /** What is held for a party. */
  holdsOf(party: string): Hold[] {
    return [...(this.#parties.get(party)?.holds ?? [])]
  }

  /** How many bytes are held: for a party, or in all. */
  of(party?: string): number {
    return party === undefined ? this.#all.bytes : (this.#parties.get(party)?.bytes ?? 0)
  }

  /** Whether so many bytes more would be too much for a party. */
  isFull(party: string, more = 0): boolean {
    return this.of(party) + more > this.#limits.party
  }

  /** What one thing counts at most (bytes): so one that is larger is possible, and no more beside it. */
  get most(): number {
    return this.#limits.party
  }

  #accountsOf({ address, party }: Hold): [Account, Account, Account] {
    return [this.#all, accountIn(this.#addresses, address), accountIn(this.#parties, party)]
  }

  /** Called by holds. */
  changed(hold: Hold, bytes: number): void {
    const accounts = this.#accountsOf(hold)
    hold.bytes += bytes
    for (const account of accounts) account.bytes += bytes
    if (bytes > 0) this.#relieve(accounts)
  }

  moved(hold: Hold, party: string): void {
    if (hold.party === party) return
    const { bytes } = hold
    this.closed(hold)
    hold.party = party
    for (const account of this.#accountsOf(hold)) account.holds.add(hold)
    this.changed(hold, bytes)
  }

  closed(hold: Hold): void {
    const { bytes, address, party } = hold
    hold.bytes = 0
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

  /** Cuts the one that holds the most; of several the oldest. */
  #cut(holds: Iterable<Hold>): void {
    let most: Hold | null = null
    for (const hold of holds) if (most === null || hold.bytes > most.bytes) most = hold
    this.onCut(most!)
    most!.cut()
  }
}

const partyOf = ({ party }: Hold): string => party
const addressOf = ({ address }: Hold): string => address

/** Those of the group that holds the most in all. */
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

/** Bytes that several hold together: they count for one of them, and for another when that one has let go. */
export class Shared {
  readonly #bytes: number
  readonly #holders = new Set<Hold>()
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
