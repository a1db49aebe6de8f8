import { diffTokens } from '../../../lib/merge/diff.ts'
import { merge3 } from '../../../lib/merge/merge.ts'
import { type Ignored, ignoredBy, type RuleTexts } from './ignored.ts'

/**
 * A change made here loosens rules only after it has been on disk for this time (ms), which is
 * longer than a save takes.
 */
const LOOSEN_MS = 10_000
/**
 * Older sets of rules that stay in force beside the current one (count); every path is tested
 * against each.
 */
const MAX_KEPT = 32

/** State of the rules in the replica. */
export type StoredRules = {
  kept: [string, string][][]
  known: [string, string][]
}

/**
 * Ignore rules decide what leaves this disk, and their files are shared. Others' changes of a rule
 * file therefore only add to what is ignored: the older rules stay in force beside the new ones, and
 * a path that any of them ignores is ignored. A change made on this disk may loosen the rules, once
 * it has been there for LOOSEN_MS; it is then applied to every set that is kept. A rule file that is
 * gone or cannot be read loosens nothing.
 */
export class Rules {
  /** The rules since the last change here, the oldest first. */
  #kept: Map<string, string>[]
  /** The text of each file that `#kept` includes. */
  #known: Map<string, string>
  /** Looser texts that are not in force yet, with the time of the first look (ms since the epoch). */
  readonly #seen = new Map<string, { text: string; since: number }>()
  readonly #foldsCase: boolean
  readonly #loosenMs: number
  #isNew: boolean
  /** True if others have changed the newest of `#kept` in this turn. */
  #isOpen = false
  #ignored: Ignored[] = []

  /** `stored`: the state that an earlier run stored; null: the rules on disk are in force at once. */
  constructor(stored: StoredRules | null, foldsCase: boolean, loosenMs = LOOSEN_MS) {
    this.#kept = (stored?.kept ?? []).map((one) => new Map(one))
    this.#known = new Map(stored?.known)
    this.#isNew = stored === null
    this.#foldsCase = foldsCase
    this.#loosenMs = loosenMs
    this.#compile()
  }

  get stored(): StoredRules {
    return { kept: this.#kept.map((one) => [...one]), known: [...this.#known] }
  }

  /** The test for ignored paths, given the rules on disk, `now`. */
  ignored(now: RuleTexts): Ignored {
    const current = ignoredBy(now, this.#foldsCase)
    return (rel, isFolder) =>
      current(rel, isFolder) || this.#ignored.some((one) => one(rel, isFolder))
  }

  /**
   * Applies the rules on disk at the time `at`: those that ignore more at once. `isChanged`: true if
   * other rules are in force; `again`: ms until the next look; null: no change waits.
   */
  take(now: RuleTexts, at: number): { isChanged: boolean; again: number | null } {
    if (this.#isNew) {
      this.accept(now)
      return { isChanged: true, again: null }
    }
    let isChanged = false
    let again = Number.POSITIVE_INFINITY
    for (const [name, text] of now) {
      const added = withAdded(this.#known.get(name) ?? '', text)
      if (added !== (this.#known.get(name) ?? '')) {
        this.#change(name, added)
        isChanged = true
      }
      if (text === added) {
        this.#seen.delete(name)
        continue
      }
      const seen = this.#seen.get(name)
      const since = seen?.text === text ? seen.since : at
      if (at - since >= this.#loosenMs) {
        this.#change(name, text)
        this.#seen.delete(name)
        isChanged = true
      } else {
        this.#seen.set(name, { text, since })
        again = Math.min(again, since + this.#loosenMs - at)
      }
    }
    for (const name of this.#seen.keys()) if (!now.has(name)) this.#seen.delete(name)
    if (isChanged) this.#compile()
    return { isChanged, again: Number.isFinite(again) ? again : null }
  }

  /** Accepts all rules as they are on disk, including others' changes and removed files. */
  accept(now: RuleTexts): void {
    this.#isNew = false
    this.#kept = [new Map(now)]
    this.#known = new Map(now)
    this.#seen.clear()
    this.#compile()
  }

  /** Called before others' change of a rule file is written; null: no file. Returns false to reject it. */
  onWrite(name: string, before: string | null, after: string | null): boolean {
    // A file that was removed here loosened nothing, and neither does one that others create again.
    const isMadeAnew = before === null && this.#known.has(name)
    const [from, to] = [before ?? '', after ?? '']
    if (!this.#isOpen && (isMadeAnew || !onlyAdds(from, to))) {
      if (this.#kept.length >= MAX_KEPT) return false
      this.#kept.push(new Map(this.#kept.at(-1)))
      this.#isOpen = true
    }
    this.#carry(name, from, to, this.#kept.slice(-1))
    if (isMadeAnew) this.#known.set(name, to)
    else this.#carry(name, from, to, [this.#known])
    return true
  }

  /** Called when all changes of one turn are written; later ones belong to another turn. */
  seal(): void {
    this.#isOpen = false
    this.#compile()
  }

  /** True if a rule file is gone or ignores less than before. */
  isLess(now: RuleTexts): boolean {
    return [...this.#known].some(([name, text]) => !onlyAdds(text, now.get(name) ?? ''))
  }

  /** True if older rules ignore paths that the rules on disk do not. */
  isHeld(now: RuleTexts): boolean {
    return this.#kept.length > 1 || [...this.#known.keys()].some((name) => !now.has(name))
  }

  /** Puts a change of this disk into force. */
  #change(name: string, text: string): void {
    this.#carry(name, this.#known.get(name) ?? '', text, this.#kept)
    this.#known.set(name, text)
  }

  #carry(name: string, from: string, to: string, into: readonly Map<string, string>[]): void {
    for (const texts of into) texts.set(name, merge3(from, to, texts.get(name) ?? '').text)
  }

  #compile(): void {
    const alike = new Map(this.#kept.map((one) => [JSON.stringify([...one].sort()), one]))
    const newest = this.#kept.at(-1)
    const ignores = (one: Map<string, string>) => [...one.values()].some((text) => text !== '')
    this.#kept = [...alike.values()].filter((one) => one === newest || ignores(one))
    if (this.#kept.length === 0) this.#kept.push(new Map())
    this.#ignored = this.#kept.map((one) => ignoredBy(one, this.#foldsCase))
  }
}

const linesOf = (text: string): string[] => {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** A rule file with only those lines of a change that ignore more. */
const withAdded = (before: string, after: string): string => {
  if (before === after) return before
  const [from, to] = [linesOf(before), linesOf(after)]
  const lines: string[] = []
  let done = 0
  for (const { a1, b0, b1 } of diffTokens(from, to)) {
    lines.push(...from.slice(done, a1), ...to.slice(b0, b1).filter((line) => !line.startsWith('!')))
    done = a1
  }
  lines.push(...from.slice(done))
  // Line ends and blanks do not change the rules.
  return lines.join('\n') === to.join('\n') ? after : `${lines.join('\n')}\n`
}

/** True if a change only adds lines and allows no further path. */
const onlyAdds = (before: string, after: string): boolean => withAdded(before, after) === after
