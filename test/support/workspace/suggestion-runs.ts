import * as Y from 'yjs'
import { seeded } from '../../../bench/stats.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { AgentId, FileId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { authorsIn } from '../../../workspace/files/authors.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { moveFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findSuggestion, waitingHunks } from '../../../workspace/files/suggestions.ts'
import { allFiles } from '../../../workspace/files/tree.ts'
import { acceptHunks, noteDecision, rejection } from '../../../workspace/suggestions/deciding.ts'
import { fileSuggestion } from '../../../workspace/suggestions/filing.ts'

/**
 * Six agents edit one file, suggest changes of it and judge them, at random, while their replicas sync now and then. Each
 * line has a word that no other line ever has, so what an accepted hunk has to do is told by lines alone, without the ids
 * by which the program finds them.
 */

const AGENTS = 6
/** Agents of the role `suggest`: they have a replica that writes nothing. */
const SUGGESTERS = new Set([4, 5])
const FILE = 'f.md' as FileId

export interface Outcome {
  suggested: number
  accepted: number
  rejected: number
  conflicts: number
  refused: number
  moved: number
  /** What must never be. */
  broken: string[]
}

/** A hunk as its lines tell it. */
interface Expected {
  old: string[]
  now: string[]
  /** The lines around it when it was filed; undefined: the start or the end. */
  before: string | undefined
  after: string | undefined
}

const linesOf = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? []
const idOf = (i: number): AgentId => `a-${i}` as AgentId

export const runSuggestions = (seed: number, steps = 120): Outcome => new Run(seed).run(steps)

class Run {
  readonly #random: () => number
  readonly #server = new Y.Doc()
  readonly #replicas: Y.Doc[] = []
  readonly #proposerIds: number[]
  readonly #past: string[] = []
  readonly #expected = new Map<string, Expected[]>()
  /** Words of accepted lines that nobody has changed since. */
  readonly #kept = new Set<string>()
  readonly #outcome: Outcome = {
    ...{ suggested: 0, accepted: 0, rejected: 0, conflicts: 0, refused: 0, moved: 0 },
    broken: [],
  }
  #words = 0
  #now = 1

  constructor(seed: number) {
    this.#random = seeded(seed)
    this.#server.clientID = 1
    this.#proposerIds = Array.from({ length: AGENTS }, (_, i) => 100 + i)
    for (let i = 0; i < AGENTS; i++) {
      const id = idOf(i)
      const facts = { id, name: `agent ${i}`, capabilities: [], machine: '', description: '' }
      registerAgent(this.#server, { ...facts, now: 0 })
      const replica = new Y.Doc()
      replica.clientID = 10 + i
      this.#replicas.push(replica)
    }
    const content = Array.from({ length: 12 }, () => this.#line()).join('')
    putFile(this.#server, { key: FILE, content, base: null, by: idOf(0), now: 0 })
    for (let i = 0; i < AGENTS; i++) this.#sync(i)
  }

  run(steps: number): Outcome {
    for (let step = 0; step < steps; step++) {
      this.#now++
      const agent = this.#below(AGENTS)
      const dice = this.#random()
      if (dice < 0.3) this.#edit(agent)
      else if (dice < 0.5) this.#sync(agent)
      else if (dice < 0.7) this.#suggest(agent)
      else if (dice < 0.97) this.#judge(agent)
      else this.#move(agent)
    }
    for (let i = 0; i < AGENTS; i++) this.#sync(i)
    for (let i = 0; i < AGENTS; i++) this.#sync(i)
    const text = this.#text
    for (const word of this.#kept) {
      const times = text.split(word).length - 1
      if (times !== 1) this.#break(`${word} is there ${times} times`)
    }
    for (const replica of this.#replicas) {
      if (textOf(replica, FILE).toJSON() !== text) this.#break('a replica differs')
      replica.destroy()
    }
    this.#server.destroy()
    return this.#outcome
  }

  get #text(): string {
    return textOf(this.#server, FILE).toJSON()
  }

  #break(what: string): void {
    this.#outcome.broken.push(what)
  }

  #below(n: number): number {
    return Math.floor(this.#random() * n)
  }

  /** A line with a word of its own between brackets, and words that occur in many lines. */
  #line(): string {
    const letters = Array.from({ length: 16 }, () => 'abcdefghijklmnop'[this.#below(16)]).join('')
    return `[${++this.#words}] ${letters} ${this.#below(3)} ${this.#below(3)}\n`
  }

  #sync(agent: number): void {
    const replica = this.#replicas[agent]!
    Y.applyUpdate(replica, Y.encodeStateAsUpdate(this.#server, Y.encodeStateVector(replica)))
    if (SUGGESTERS.has(agent)) return
    const before = this.#text
    const update = Y.encodeStateAsUpdate(replica, Y.encodeStateVector(this.#server))
    Y.applyUpdate(this.#server, update)
    if (this.#text !== before) this.#past.push(this.#text)
  }

  /** Some lines with a change or a few: lines added, removed, replaced, and words in lines changed. */
  #changed(lines: readonly string[], most: number): string[] {
    const now = [...lines]
    for (let i = 0; i <= this.#below(most); i++) {
      const at = this.#below(now.length + 1)
      const dice = this.#random()
      if (dice < 0.35)
        now.splice(at, 0, ...Array.from({ length: 1 + this.#below(2) }, () => this.#line()))
      else if (dice < 0.5) now.splice(at, 1 + this.#below(2))
      else if (dice < 0.75) now.splice(at, 1, this.#line())
      else if (at < now.length) {
        // The same line with another end, or something before it.
        const line = now[at]!
        now[at] = dice < 0.9 ? line.replace('\n', ` ${this.#below(9)}\n`) : `- ${line}`
      }
    }
    return now
  }

  #edit(agent: number): void {
    if (SUGGESTERS.has(agent)) return
    const replica = this.#replicas[agent]!
    const { key } = allFiles(replica)[0]!
    const { content } = readFile(replica, key)
    const lines = linesOf(content)
    const now = this.#changed(lines, 3)
    const left = new Set(now)
    for (const line of lines) if (!left.has(line)) this.#forget(line)
    const put = { key, content: now.join(''), base: content, by: idOf(agent), now: this.#now }
    putFile(replica, put)
  }

  #move(agent: number): void {
    if (SUGGESTERS.has(agent)) return
    this.#sync(agent)
    const { key } = allFiles(this.#server)[0]!
    const to = String(key) === FILE ? 'moved.md' : FILE
    moveFile(this.#server, key, to, idOf(agent), this.#now)
    this.#outcome.moved++
  }

  #suggest(agent: number): void {
    const doc = this.#server
    const isOld = this.#past.length > 0 && this.#random() < 0.3
    const base = isOld
      ? this.#past[Math.max(0, this.#past.length - 1 - this.#below(3))]!
      : this.#text
    const proposed = this.#changed(linesOf(base), 4).join('')
    const { key } = allFiles(doc)[0]!
    const approver = this.#random() < 0.2 ? idOf(this.#below(4)) : undefined
    try {
      const { suggestion_id: id } = fileSuggestion(doc, {
        ...{ key, by: idOf(agent), now: this.#now, base, propose: () => proposed, note: '' },
        ...{ approver, mayAccept: () => true, steps: 1e6 },
      })
      this.#outcome.suggested++
      this.#expected.set(id, this.#expectedOf(id))
    } catch (error) {
      const isMeant = error instanceof ClawError && ['stale', 'usage', 'quota'].includes(error.code)
      if (!isMeant) throw error
      this.#outcome.refused++
    }
  }

  /** What the hunks of a new suggestion mean, by the lines of the text now. */
  #expectedOf(id: string): Expected[] {
    const lines = linesOf(this.#text)
    const entry = findSuggestion(this.#server, id)!
    return entry.hunks!.map(({ line, old, new: now }): Expected => {
      const oldLines = linesOf(old)
      const at = line - 1
      if (lines.slice(at, at + oldLines.length).join('') !== old) this.#break(`${id}: old lines`)
      return {
        ...{ old: oldLines, now: linesOf(now), before: lines[at - 1] },
        after: lines[at + oldLines.length],
      }
    })
  }

  #judge(agent: number): void {
    const all = [...this.#expected.keys()]
    const id = all[this.#below(all.length)]
    if (id === undefined) return
    const doc = this.#server
    const entry = findSuggestion(doc, id)
    const waiting = entry === null ? [] : waitingHunks(entry)
    const total = this.#expected.get(id)!.length
    // Some that were judged already among them.
    const isAny = this.#random() < 0.2
    const from = isAny ? Array.from({ length: total }, (_, i) => i + 1) : waiting
    const hunks = from.filter(() => this.#random() < 0.6)
    const judgement = {
      ...{ id, by: idOf(agent), mayWrite: !SUGGESTERS.has(agent), now: this.#now },
    }
    const before = this.#text
    const isReject = this.#random() < 0.15
    try {
      if (isReject) {
        noteDecision(doc, id, rejection(doc, judgement, 'no'), () => {})
        this.#outcome.rejected++
        const mayReject = judgement.by === entry!.facts.by || this.#mayJudge(agent, id)
        if (!mayReject) this.#break(`${judgement.by} rejected ${id}`)
        return
      }
      const proposer = Number(entry?.facts.by.slice(2) ?? 0)
      doc.clientID = this.#proposerIds[proposer]!
      const { decision, put } = acceptHunks(doc, judgement, hunks.length === 0 ? null : hunks)
      doc.clientID = 1
      noteDecision(doc, id, decision, () => {})
      this.#outcome.accepted += decision.hunks.length
      if (!this.#mayJudge(agent, id)) this.#break(`${judgement.by} accepted ${id}`)
      if (decision.hunks.some((n) => !waiting.includes(n))) this.#break(`${id}: judged twice`)
      if (put.file.last_editor !== idOf(proposer)) this.#break(`${id}: ${put.file.last_editor}`)
      this.#checkAccepted(id, decision.hunks, before, idOf(proposer))
      this.#past.push(this.#text)
    } catch (error) {
      if (!(error instanceof ClawError)) throw error
      if (this.#text !== before) this.#break(`${id}: an error changed the text`)
      if (error.code === 'stale') {
        this.#outcome.conflicts++
        this.#checkConflict(id, hunks.length === 0 ? waiting : hunks, before)
      } else if (error.code === 'not_allowed') {
        const isOwn = isReject && judgement.by === entry!.facts.by
        if (isOwn || this.#mayJudge(agent, id)) this.#break(`${judgement.by} may judge ${id}`)
        this.#outcome.refused++
      } else if (['suggestion_state', 'unknown_suggestion'].includes(error.code)) {
        const isOver = waiting.length === 0 || hunks.some((n) => !waiting.includes(n))
        if (!isOver) this.#break(`${id}: ${error.message}`)
        this.#outcome.refused++
      } else throw error
    } finally {
      doc.clientID = 1
    }
  }

  /** The rule of SUGGEST-5 in other words. */
  #mayJudge(agent: number, id: string): boolean {
    if (SUGGESTERS.has(agent)) return false
    const { approver, by } = findSuggestion(this.#server, id)!.facts
    return approver === undefined || (approver === idOf(agent) && by !== idOf(agent))
  }

  /** The text is the one before, with the old lines of each hunk replaced, or its new ones between its neighbours. */
  #checkAccepted(id: string, hunks: readonly number[], before: string, proposer: AgentId): void {
    const text = this.#text
    const lines = linesOf(text)
    const expected = this.#expected.get(id)!
    let undone = lines
    for (const n of hunks) {
      const { now, old, before: above, after: below } = expected[n - 1]!
      const at = now.length === 0 ? -1 : runAt(undone, now)
      if (now.length > 0) {
        if (at < 0) {
          this.#break(`${id}/${n}: its lines are not there`)
          return
        }
        if (runAt(undone.slice(at + 1), now) >= 0)
          this.#break(`${id}/${n}: its lines are there twice`)
      }
      if (old.length === 0) {
        if (!isBetween(undone, at, now.length, [above, below])) {
          this.#break(`${id}/${n}: in the wrong place`)
        }
      }
      if (now.length > 0)
        undone = [...undone.slice(0, at), ...old, ...undone.slice(at + now.length)]
      for (const line of old) this.#forget(line)
      for (const line of now)
        if (!old.some((one) => wordOf(one) === wordOf(line))) this.#kept.add(wordOf(line))
    }
    const removed = hunks.flatMap((n) => {
      const { now, old } = expected[n - 1]!
      return now.length === 0 ? old : []
    })
    const was = linesOf(before)
    if (removed.length === 0) {
      if (undone.join('') !== before) this.#break(`${id}: something else changed`)
    } else {
      const gone = new Set(removed)
      if (was.filter((line) => !gone.has(line)).join('') !== undone.join('')) {
        this.#break(`${id}: something else changed`)
      }
    }
    for (const n of hunks) {
      const [line] = expected[n - 1]!.now
      if (line === undefined || expected[n - 1]!.old.length > 0) continue
      const from = text.indexOf(line)
      const authors = authorsIn(this.#server, FILE, [[from, from + line.length]])
      if (authors.join() !== proposer) this.#break(`${id}/${n}: written by ${authors.join()}`)
    }
  }

  /** Somebody has changed this line. Two lines become one where the end of the first is removed. */
  #forget(line: string): void {
    for (const word of wordsIn(line)) this.#kept.delete(word)
  }

  /** A conflict is one: the old lines are not in a row any more. */
  #checkConflict(id: string, hunks: readonly number[], before: string): void {
    const lines = linesOf(before)
    const isWhole = hunks.every((n) => {
      const { old } = this.#expected.get(id)![n - 1] ?? { old: [] }
      return old.length > 0 && runAt(lines, old) >= 0
    })
    if (hunks.length > 0 && isWhole) this.#break(`${id}: no conflict`)
  }
}

/** The words of a line that no other line has. */
const wordsIn = (line: string): string[] => line.match(/\[\d+\]/g) ?? [line]
const wordOf = (line: string): string => wordsIn(line)[0]!

/** Index of the first place where `run` stands in `lines`; -1: none. */
const runAt = (lines: readonly string[], run: readonly string[]): number =>
  lines.findIndex((_, at) => run.every((line, i) => lines[at + i] === line))

/**
 * Tells whether lines stand between two others, which may have changed, and beside them as long as the lower one has not.
 */
const isBetween = (
  lines: readonly string[],
  at: number,
  length: number,
  [above, below]: readonly [string | undefined, string | undefined],
): boolean => {
  const has = (index: number, line: string): boolean =>
    lines[index] !== undefined && wordsIn(lines[index]).includes(wordOf(line))
  const isSame = (index: number, line: string | undefined): boolean =>
    line === undefined ? lines[index] === undefined : has(index, line)
  const placesOf = (line: string | undefined): number[] =>
    line === undefined ? [] : [...lines.keys()].filter((index) => has(index, line))
  const [over, under] = [placesOf(above), placesOf(below)]
  const isWhole = below === undefined || lines.includes(below)
  const isBeside = !isWhole || isSame(at - 1, above) || isSame(at + length, below)
  const isUnder = over.every((index) => index < at)
  const isOver = under.every((index) => index >= at)
  return isBeside && isUnder && isOver
}
