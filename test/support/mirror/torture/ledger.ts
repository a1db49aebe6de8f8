import { markersIn } from '../tree.ts'

/** Which of the two folders. */
export type Name = 'a' | 'b'

/** A tool that takes longer than this (ms) may overwrite what came in meanwhile: docs/mirror.md, "Who was faster". */
const HELD_MS = 1_500
/** An operation of the other side within this (ms) may not have arrived yet. */
const UNDER_WAY_MS = 15_000

interface Marker {
  /** `must`: it is there once; `free`: it was removed with its text, so it may be gone; never is it there twice. */
  state: 'must' | 'free'
  /** It was in a file that somebody deleted: what becomes of it is not certain any more. */
  wasDeleted: boolean
  by: Name
}

interface Entry {
  markers: Map<string, Marker>
  state: 'there' | 'gone' | 'either'
  /** When each side changed the text other than by a marker, and deleted the file (ms since the epoch). */
  changed: { [side in Name]: number }
  deleted: { [side in Name]: number }
}

/** Markers: one line each. */
export const MARKER = /<[ab]-\d+>/g

const other = (side: Name): Name => (side === 'a' ? 'b' : 'a')
const idsOf = (text: string): string[] => [...new Set(text.match(MARKER) ?? [])]

/**
 * What every operation on the two folders is to lead to: which paths are there in the end, and which markers are in each.
 * It is told what was done, and never looks at what mirrors make of it.
 */
export class Ledger {
  readonly #paths = new Map<string, Entry>()
  /** Markers that a slow tool may have written over (count). */
  excused = 0
  #count = 0

  /** A line that nobody else writes. */
  marker(by: Name): string {
    return `<${by}-${this.#count++}>`
  }

  #entry(rel: string): Entry {
    let entry = this.#paths.get(rel)
    if (entry === undefined) {
      entry = {
        markers: new Map(),
        state: 'gone',
        changed: { a: 0, b: 0 },
        deleted: { a: 0, b: 0 },
      }
      this.#paths.set(rel, entry)
    }
    return entry
  }

  /** `by` has written a new marker to a file. */
  wrote(by: Name, rel: string, marker: string): void {
    const entry = this.#entry(rel)
    entry.markers.set(marker, { state: 'must', wasDeleted: false, by })
    entry.state = 'there'
  }

  /** `by` has deleted a file with this text: what it had not seen stays, and brings the file back. */
  deleted(by: Name, rel: string, text: string): void {
    const entry = this.#entry(rel)
    for (const id of idsOf(text)) {
      const marker = entry.markers.get(id)
      if (marker === undefined) continue
      marker.state = 'free'
      marker.wasDeleted = true
    }
    const isUnseen = [...entry.markers.values()].some(({ state }) => state === 'must')
    const isTouched = Date.now() - entry.changed[other(by)] < UNDER_WAY_MS
    entry.state = isUnseen ? 'there' : isTouched ? 'either' : 'gone'
    entry.deleted[by] = Date.now()
  }

  /** `by` ran a tool, which took `ms`, and its folder was `before` and is `after`. */
  changed(by: Name, before: Map<string, string>, after: Map<string, string>, ms: number): void {
    for (const rel of new Set([...before.keys(), ...after.keys()])) {
      const [from, to] = [before.get(rel), after.get(rel)]
      if (from === to) continue
      const isExcused = ms > HELD_MS && this.#excuse(by, rel, to)
      if (to === undefined) this.deleted(by, rel, from!)
      else this.#rewrote(by, rel, from, to)
      if (isExcused) this.#entry(rel).state = 'either'
    }
  }

  #rewrote(by: Name, rel: string, from: string | undefined, to: string): void {
    const entry = this.#entry(rel)
    const [had, has] = [idsOf(from ?? ''), idsOf(to)]
    for (const id of had) {
      const marker = entry.markers.get(id)
      if (marker !== undefined && !has.includes(id)) marker.state = 'free'
    }
    for (const id of has.filter((one) => !had.includes(one))) {
      const marker = entry.markers.get(id)
      if (marker === undefined) this.wrote(by, rel, id)
      else if (!marker.wasDeleted) marker.state = 'must'
    }
    const isContested = Date.now() - entry.deleted[other(by)] < UNDER_WAY_MS
    entry.state = isContested ? 'either' : 'there' // the other's deletion may not have arrived yet
    entry.changed[by] = Date.now()
  }

  /** What came in while a slow tool ran may be lost to it; whether something did. */
  #excuse(by: Name, rel: string, to: string | undefined): boolean {
    const before = this.excused
    for (const [id, marker] of this.#entry(rel).markers) {
      if (marker.by === by || marker.state === 'free' || to?.includes(id)) continue
      marker.state = 'free'
      this.excused++
    }
    return this.excused > before
  }

  /** True if nothing says that this path is to be there. Rule files are not in the ledger, and a question adds none. */
  isGone(rel: string): boolean {
    return this.#paths.get(rel)?.state !== 'there'
  }

  /** `by` asked for it to be there again; the other side may have deleted it, too. */
  restored(by: Name, rel: string): void {
    const entry = this.#paths.get(rel)
    if (entry === undefined) return
    entry.state = entry.deleted[other(by)] > 0 ? 'either' : 'there'
  }

  /** What is wrong with a folder in which everything has arrived. */
  faults(tree: Map<string, string>): string[] {
    const faults: string[] = []
    for (const [rel, { markers, state }] of this.#paths) {
      const text = tree.get(rel)
      if (text === undefined && state === 'there') faults.push(`${rel} is deleted`)
      if (text !== undefined && state === 'gone') faults.push(`${rel} is not deleted`)
      if (text === undefined && state !== 'there') continue
      const counts = markersIn(new Map([[rel, text ?? '']]), MARKER)
      for (const [id, { state }] of markers) {
        const count = counts.get(id) ?? 0
        const what = `${rel}: ${JSON.stringify(text)}`
        if (count > 1) faults.push(`${id} is ${count} times in ${what}`)
        if (count === 0 && state === 'must') faults.push(`${id} is not in ${what}`)
      }
    }
    return faults
  }
}
