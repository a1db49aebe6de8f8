/**
 * All interleavings of two nodes that own one workspace in turns: what they know, what the database holds, and statements
 * that are under way or were given up. A state is packed into a string, so that equal ones are met once.
 */

/** The rules of ownership; each can be taken away. */
export interface Rules {
  /** A statement stores only while its epoch is the node's. */
  fence: boolean
  /** … which it locks: nobody raises the epoch between the check and the write. */
  lock: boolean
  /** A record's key has to be new. */
  newKeys: boolean
  /** A claim names the owner that was seen, and fails if it is another one by then. */
  compares: boolean
  /** The log is read after the claim. */
  readsAfterClaim: boolean
  /** After a write with an unknown outcome, or a rejected one, the node takes a new epoch first. */
  renews: boolean
  /** With a new epoch the node owns nothing: it claims and reads again. */
  forgets: boolean
}

export const RULES: Rules = {
  fence: true,
  lock: true,
  newKeys: true,
  compares: true,
  readsAfterClaim: true,
  renews: true,
  forgets: true,
}

const NODES = 2
/** Records that are written at most, and times that an epoch is raised (count). */
const RECORDS = 2
const RAISES = 3

/** An append under way: of record `id` at position `at` under an epoch. */
interface Append {
  epoch: number
  at: number
  id: number
  /** Without the lock: the epoch was checked before, with this outcome. */
  checked: boolean | null
  /** True: stored, false: rejected; null: not carried out yet. */
  done: boolean | null
}

interface Node {
  epoch: number
  /** The owner that it saw, before it claims: [node, epoch], or nobody; undefined: it has not looked. */
  seen: Owner | undefined
  hasClaim: boolean
  /** The records in memory; null: not read. */
  room: number[] | null
  append: Append | null
  /** It has lost its epoch, or does not know what became of a write. */
  isLost: boolean
}

type Owner = readonly [node: number, epoch: number] | null

interface State {
  /** In the database: the nodes' epochs, the workspace's owner, its log. */
  epochs: number[]
  owner: Owner
  log: number[]
  acknowledged: number[]
  written: number
  raises: number
  nodes: Node[]
  /** Statements whose node does not wait any more; they may be carried out at any time, or never. */
  adrift: (Append & { by: number })[]
}

const START: State = {
  epochs: Array(NODES).fill(1),
  ...{ owner: null, log: [], acknowledged: [], written: 0, raises: 0, adrift: [] },
  nodes: Array.from({ length: NODES }, () => ({
    ...{ epoch: 1, seen: undefined, hasClaim: false, room: null, append: null, isLost: false },
  })),
}

const same = (a: Owner, b: Owner): boolean => a?.[0] === b?.[0] && a?.[1] === b?.[1]

/** A step: its name, and the change of a copy of the state. */
type Step = [name: string, change: (state: State) => void]

/** Carries out a statement, as the database does; returns whether it stored the record. */
const carryOut = (state: State, by: number, append: Append, rules: Rules): boolean => {
  const isCurrent = append.checked ?? state.epochs[by] === append.epoch
  if (rules.fence && !isCurrent) return false
  const isNew = append.at === state.log.length
  if (rules.newKeys && !isNew) return false
  state.log[append.at] = append.id
  return true
}

const stepsOf = (state: State, i: number, rules: Rules): Step[] => {
  const node = state.nodes[i]!
  const canRaise = state.raises < RAISES
  const steps: Step[] = []
  const step = (name: string, change: (state: State, node: Node) => void): void => {
    steps.push([`${i} ${name}`, (copy) => change(copy, copy.nodes[i]!)])
  }
  if (node.isLost) {
    if (canRaise) step('registers', (copy, me) => register(copy, me, i, rules))
    if (!rules.renews) {
      step('goes on', (_, me) =>
        Object.assign(me, { seen: undefined, hasClaim: false, room: null, isLost: false }),
      )
    }
    return steps
  }
  if (!node.hasClaim && node.seen === undefined) {
    step('looks', (copy, me) => {
      me.seen = copy.owner
    })
  }
  if (node.seen !== undefined) step('claims', (copy, me) => claim(copy, me, i, rules))
  const mayRead = node.hasClaim || !rules.readsAfterClaim
  if (mayRead && node.room === null) {
    step('reads', (copy, me) => {
      me.room = [...copy.log]
    })
  }
  return [...steps, ...appends(state, i, rules), ...fences(state, i)]
}

const register = (state: State, node: Node, i: number, rules: Rules): void => {
  state.raises++
  node.epoch = ++state.epochs[i]!
  node.isLost = false
  node.seen = undefined
  if (rules.forgets) Object.assign(node, { hasClaim: false, room: null })
}

const claim = (state: State, node: Node, i: number, rules: Rules): void => {
  const seen = node.seen ?? null
  node.seen = undefined
  const isValid = seen !== null && state.epochs[seen[0]] === seen[1]
  if (isValid) {
    if (seen[0] === i && seen[1] === node.epoch) node.hasClaim = same(state.owner, seen)
    return
  }
  if (rules.compares && !same(state.owner, seen)) return
  // The claim has the fence, too.
  if (rules.fence && state.epochs[i] !== node.epoch) {
    node.isLost = true
    return
  }
  state.owner = [i, node.epoch]
  node.hasClaim = true
}

const appends = (state: State, i: number, rules: Rules): Step[] => {
  const { append, room, hasClaim, epoch } = state.nodes[i]!
  const step = (name: string, change: (state: State, node: Node) => void): Step => [
    `${i} ${name}`,
    (copy) => change(copy, copy.nodes[i]!),
  ]
  if (append === null) {
    if (!hasClaim || room === null || state.written === RECORDS) return []
    return [
      step('sends a record', (copy, me) => {
        const id = ++copy.written
        me.append = { epoch, at: room.length, id, checked: null, done: null }
      }),
    ]
  }
  const steps = [
    step('loses its connection', (copy, me) => {
      if (me.append?.done === null) copy.adrift.push({ ...me.append, by: i })
      Object.assign(me, { append: null, isLost: true })
    }),
  ]
  if (append.done !== null) steps.push(step('is answered', answer))
  else if (!rules.lock && append.checked === null) {
    steps.push(
      step('has its epoch checked', (copy, me) => {
        me.append!.checked = copy.epochs[i] === me.append!.epoch
      }),
    )
  } else {
    steps.push(
      step('has its record stored', (copy, me) => {
        me.append!.done = carryOut(copy, i, me.append!, rules)
      }),
    )
  }
  return steps
}

const answer = (state: State, node: Node): void => {
  const { id, done } = node.append!
  node.append = null
  if (done === true) {
    node.room?.push(id)
    state.acknowledged.push(id)
  } else node.isLost = true
}

/** Any node may fence the owner at any time, rightly or wrongly. */
const fences = (state: State, i: number): Step[] => {
  const { owner } = state
  if (owner === null || owner[0] === i || state.raises === RAISES) return []
  if (state.epochs[owner[0]] !== owner[1]) return []
  return [
    [
      `${i} fences ${owner[0]}`,
      (copy) => {
        copy.raises++
        copy.epochs[owner[0]]!++
      },
    ],
  ]
}

const adriftSteps = (state: State, rules: Rules): Step[] =>
  state.adrift.map(({ by }, k) => [
    `a late record of ${by} is stored`,
    (copy) => {
      const [append] = copy.adrift.splice(k, 1)
      carryOut(copy, by, append!, rules)
    },
  ])

/** The rule that this state breaks, in words; null: none. */
const brokenIn = ({ nodes, epochs, owner, log, acknowledged }: State, onlyLost: boolean) => {
  const lost = acknowledged.find((id) => !log.includes(id))
  if (lost !== undefined) return `acknowledged record ${lost} is not in the log`
  for (const [i, { room, hasClaim, epoch, append, isLost }] of nodes.entries()) {
    if (onlyLost || isLost || room === null || !hasClaim) continue
    if (room.some((id, at) => log[at] !== id)) return `${i} shows what the log has not`
    const isOwner = same(owner, [i, epoch]) && epochs[i] === epoch
    const known = room.length + (append?.done === true ? 1 : 0)
    if (isOwner && log.length > known) return `${i} owns it, and does not know all of it`
  }
  return null
}

interface Explored {
  states: number
  /** How the first broken rule comes about; null: none is broken. */
  broken: { why: string; path: string[] } | null
}

/** Visits every state, nearest first. `onlyLost`: what is shown does not count, only what was acknowledged. */
export const explore = (rules: Rules, { onlyLost = false } = {}): Explored => {
  const first = JSON.stringify(START)
  const from = new Map<string, readonly [before: string, name: string] | null>([[first, null]])
  // A Map is walked in the order of insertion, entries that are added meanwhile included.
  for (const packed of from.keys()) {
    const state = JSON.parse(packed) as State
    const why = brokenIn(state, onlyLost)
    if (why !== null) return { states: from.size, broken: { why, path: pathTo(packed, from) } }
    const own = state.nodes.flatMap((_, i) => stepsOf(state, i, rules))
    for (const [name, change] of [...own, ...adriftSteps(state, rules)]) {
      const copy = JSON.parse(packed) as State
      change(copy)
      const next = JSON.stringify(copy)
      if (!from.has(next)) from.set(next, [packed, name])
    }
  }
  return { states: from.size, broken: null }
}

const pathTo = (
  packed: string,
  from: ReadonlyMap<string, readonly [string, string] | null>,
): string[] => {
  const path: string[] = []
  for (let at = from.get(packed); at; at = from.get(at[0])) path.unshift(at[1])
  return path
}
