import type * as Y from 'yjs'
import { firstItem, itemAfter, stringIn } from '../../../lib/yjs/internals.ts'
import { applyUndo, ended, planUndo, type UndoPlan } from '../../../workspace/authorship/undo.ts'
import type { Selector, UndoRecord } from '../../../workspace/authorship/undo-history.ts'
import { piecesOf } from '../../../workspace/authorship/undo-pieces.ts'
import type { NotingServer } from './noting-server.ts'
import {
  deletedTogether,
  type Id,
  type Meeting,
  randomOf,
  rerunWithout,
  runHistory,
  type World,
  wild,
} from './undo-histories.ts'

/** Undoes on a server, as agent U. */
export const undo = (server: NotingServer, selector: Selector, id: string): UndoPlan => {
  const plan = planUndo(server.text, server.history, selector)
  const done = server.as('U', 7, () => applyUndo(server.doc, server.text, plan))
  server.undos.push({ id, by: 'U', at: server.now * 1_000, task: null, ...done })
  same(server.text.toJSON(), plan.after, 'the text is the planned one')
  return plan
}

const same = (found: string, wanted: string, what: string): void => {
  if (found === wanted) return
  throw new Error(`${what}:\n${JSON.stringify(found)}\n${JSON.stringify(wanted)}`)
}

/** A character of a text: its first operation, and whether it is there. */
interface Unit {
  id: string
  root: string
  character: string
  isThere: boolean
}

/** All characters of a text, in its order, deleted ones included. */
const unitsIn = (text: Y.Text, undos: readonly UndoRecord[]): Unit[] => {
  const roots = new Map<string, string>()
  for (const { copies } of undos) {
    for (const { client, clock, length, ofClient, ofClock } of copies) {
      for (let i = 0; i < length; i++)
        roots.set(`${client},${clock + i}`, `${ofClient},${ofClock + i}`)
    }
  }
  const units: Unit[] = []
  for (let item = firstItem(text); item !== null; item = itemAfter(item)) {
    const string = stringIn(item)
    for (let i = 0; i < item.length; i++) {
      const id = `${item.id.client},${item.id.clock + i}`
      const root = roots.get(id) ?? id
      units.push({ id, root, character: string?.[i] ?? '', isThere: !item.deleted })
    }
  }
  return units
}

/** The text without the characters of these ids. */
const textBut = (units: readonly Unit[], ids: ReadonlySet<string>): string =>
  units
    .filter(({ isThere, root }) => isThere && !ids.has(root))
    .map(({ character }) => character)
    .join('')

export interface Outcome {
  /** The text is to the last character that of the script without the agent. */
  equal: number
  /** Lines that others wrote in beside the agent's text, or where that had deleted some: all were reported. */
  met: number
  /** Characters that another deleted at the same time: where they would be, that one is reported. */
  together: number
  /** Lines that were reported. */
  reported: number
  /** Lines that the undo changed. */
  changed: number
}

const count = (lines: readonly { from_line: number; to_line: number }[]): number =>
  lines.reduce((sum, { from_line, to_line }) => sum + to_line - from_line + 1, 0)

/** A random history, one agent's part of it undone, and that undone. Throws where a rule is broken. */
export const runUndo = (seed: number, changes: number): Outcome => {
  const random = randomOf(seed)
  const agent = 'ABCDEF'[seed % 6]!
  const world = runHistory(random, changes, agent, wild)
  const { server, meetings } = world
  const before = server.text.toJSON()
  const there = new Map(
    unitsIn(server.text, []).flatMap((unit) => (unit.isThere ? [[unit.id, unit.character]] : [])),
  )
  const other = 'ABCDEF'[(seed + 1) % 6]!
  const neither = textWithout(server, [agent, other])
  const plan = undo(server, { agent }, 'u-1')
  const rerun = rerunWithout(world, agent).server.text
  const units = unitsIn(server.text, server.undos)
  const { hanging } = world
  same(
    textBut(units, hanging),
    textBut(unitsIn(rerun, []), hanging),
    'the text apart from overlaps',
  )
  const met = metLines(units, there, meetings)
  for (const line of met) {
    if (plan.overlaps.some(({ from_line, to_line }) => from_line <= line && line <= to_line))
      continue
    throw new Error(`line ${line} is not reported`)
  }
  const together = checkTogether(world, agent, plan, units)
  const again = planUndo(server.text, server.history, { agent })
  if (again.deletes.length + again.restores.length > 0) throw new Error('again is not the same')
  undo(server, { undo: 'u-1' }, 'u-2')
  same(server.text.toJSON(), before, 'the undone undo')
  undo(server, { undo: 'u-2' }, 'u-3')
  same(server.text.toJSON(), plan.after, 'the undo again')
  undo(server, { agent: 'U' }, 'u-4')
  same(server.text.toJSON(), before, 'all undos undone')
  undo(server, { agent }, 'u-5')
  same(server.text.toJSON(), plan.after, 'the undo anew')
  undo(server, { agent: other }, 'u-6')
  same(server.text.toJSON(), neither, 'both agents undone')
  return {
    equal: plan.after === rerun.toJSON() ? 1 : 0,
    ...{ together, met: met.size, reported: count(plan.overlaps), changed: count(plan.lines) },
  }
}

/** Checks that each text which another agent deleted at the same time is reported with that agent. Returns its characters. */
const checkTogether = (
  world: World,
  agent: string,
  plan: UndoPlan,
  units: readonly Unit[],
): number => {
  const lines = new Map<string, { line: number; isThere: boolean }>()
  let line = 1
  for (const { root, character, isThere } of units) {
    // A copy stands behind its root.
    lines.set(root, { line, isThere })
    if (isThere && character === '\n') line++
  }
  const own = new Set([...world.server.owners].flatMap(([id, by]) => (by === agent ? [id] : [])))
  let checked = 0
  for (const { id, first, second } of deletedTogether(world)) {
    const other = first === agent ? second : first
    const isMeant = (first === agent) !== (second === agent) && other !== null && !own.has(id[0])
    const at = lines.get(id.join())
    if (!isMeant || at === undefined || at.isThere !== (first === agent)) continue
    checked++
    const isTold = plan.overlaps.some(
      ({ from_line, to_line, by }) =>
        from_line <= at.line && at.line <= to_line && by.includes(other),
    )
    if (!isTold) throw new Error(`line ${at.line}: that ${other} deleted ${id}, too, is not told`)
  }
  return checked
}

/** The text of all others' characters that none of them deleted first. Call it before any undo. */
const textWithout = ({ text, history }: NotingServer, agents: readonly string[]): string => {
  const isOut = (name: string | null): boolean => name !== null && agents.includes(name)
  return ended(piecesOf(text, history, []))
    .filter(({ root, deleted }) => !isOut(root.by) && (deleted === null || isOut(deleted.by)))
    .map((piece) => piece.text ?? '')
    .join('')
}

/** Lines of the text after an undo in which somebody wrote beside what it changed. `there`: the characters before it. */
const metLines = (
  units: readonly Unit[],
  there: ReadonlyMap<string, string>,
  meetings: readonly Meeting[],
): Set<number> => {
  const shown = units
    .filter(({ id, isThere }) => isThere || there.has(id))
    .map((unit) => ({ ...unit, character: there.get(unit.id) ?? unit.character }))
  const places = new Map<string, number>()
  for (const [i, { root }] of shown.entries()) places.set(root, i)
  const lines = new Set<number>()
  const placeOf = (id: Id): number | undefined => places.get(id.join())
  for (const { own, other, isBefore } of meetings) {
    const [here, changed] = [placeOf(own[isBefore ? 1 : 0]), placeOf(other)]
    if (here === undefined || changed === undefined || !shown[here]!.isThere) continue
    if (shown[changed]!.isThere === there.has(shown[changed]!.id)) continue
    const [from, to] = [Math.min(here, changed), Math.max(here, changed)]
    if (shown.slice(from, to).some(({ character }) => character === '\n')) continue
    const above = shown.slice(0, here).filter(({ isThere }) => isThere)
    lines.add(above.filter(({ character }) => character === '\n').length + 1)
  }
  return lines
}
