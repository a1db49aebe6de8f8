import { ask, type Member, member } from '../auth/members.ts'
import { seeded } from '../client.ts'
import type { ServerAt } from '../server.ts'

/**
 * Six agents edit one file over HTTP at the same time, suggest changes of it and judge them, hunk by hunk. A line has the
 * number of its place and a word that no other line ever has: so the words that became each other, as the answers tell, say
 * what the file has to be.
 */
const AGENTS = 6
/** The last agents may only suggest (count). */
const SUGGESTERS = 1
const LINES = 30
const STEPS = 6
/** Part of the writes that are sent twice, and attempts where a connection breaks (count). */
const REPEATS = 0.1
const TRIES = 5
/** Lines between two changes of one suggestion: nearer ones are one hunk. */
const APART = 4
/** What a step may meet where others were first. */
const EXPECTED = ['stale', 'suggestion_state', 'no_match', 'not_allowed', 'unknown_suggestion']

export interface HttpOutcome {
  suggested: number
  accepted: number
  rejected: number
  edited: number
  /** Answers that others were first, or that a role does not reach. */
  refused: number
  /** Writes that were sent twice under one key: they count once. */
  repeated: number
  /** What must never be. */
  broken: string[]
}

interface Hunk {
  from: string
  to: string
  verdict: 'accepted' | 'rejected' | null
}

interface Change {
  hunk: number
  old: string
  new: string
}

interface Said {
  suggestion: { suggestion_id: string; changes: Change[]; decisions: { hunks: number[] }[] }
  accepted: number[]
}

const lineOf = (place: number, word: string): string => `${place} ${word}\n`
const wordIn = (line: string): string => line.trimEnd().split(' ')[1] ?? ''

/** Agents of a server for any number of runs. */
export const suggesters = async (server: ServerAt): Promise<Member[]> => {
  const all: Member[] = []
  for (let i = 0; i < AGENTS; i++) {
    const role = i < AGENTS - SUGGESTERS ? 'write' : 'suggest'
    const one = await member(server, `a-suggester-${i}`, role)
    await ask(server, '/api/workspaces/default/register', { name: one.agent }, one.headers)
    all.push(one)
  }
  return all
}

export const runByHttp = (
  server: ServerAt,
  agents: readonly Member[],
  seed: number,
): Promise<HttpOutcome> => new Run(server, agents, seed).run()

class Run {
  readonly #server: ServerAt
  readonly #agents: readonly Member[]
  readonly #random: () => number
  readonly #key: string
  readonly #suggestions = new Map<string, Hunk[]>()
  /** Words that were replaced, and what by. */
  readonly #became = new Map<string, string>()
  #words = 0
  #calls = 0
  readonly #outcome: HttpOutcome = {
    ...{ suggested: 0, accepted: 0, rejected: 0, edited: 0, refused: 0, repeated: 0, broken: [] },
  }

  constructor(server: ServerAt, agents: readonly Member[], seed: number) {
    this.#server = server
    this.#agents = agents
    this.#random = seeded(seed)
    this.#key = `suggestions-${seed}.md`
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most)
  }

  #word(): string {
    return `w${++this.#words}`
  }

  async #call<T>(who: Member, path: string, body?: object): Promise<T | null> {
    const at = `/api/workspaces/default/${path}`
    const headers = { ...who.headers, 'idempotency-key': `${this.#key}-${++this.#calls}` }
    const { data, error } = await this.#asked<T>(at, body, headers)
    if (error === undefined) {
      if (body !== undefined && this.#random() < REPEATS) {
        const again = await this.#asked<T>(at, body, headers)
        this.#outcome.repeated++
        if (JSON.stringify(again.data) !== JSON.stringify(data)) {
          this.#outcome.broken.push(`${path} again: ${JSON.stringify(again).slice(0, 200)}`)
        }
      }
      return data
    }
    if (!EXPECTED.includes(error.code)) {
      this.#outcome.broken.push(`${path}: ${error.code} ${error.message}`)
    }
    this.#outcome.refused++
    return null
  }

  /** Asks; again under the same key, where the connection breaks: a server closes one that was idle. */
  async #asked<T>(at: string, body: object | undefined, headers: Record<string, string>) {
    for (let left = TRIES; ; left--) {
      try {
        return await ask<T>(this.#server, at, body, headers)
      } catch (error) {
        if (left === 0) throw error
      }
    }
  }

  async run(): Promise<HttpOutcome> {
    const first = Array.from({ length: LINES }, (_, place) => lineOf(place, this.#word()))
    await this.#call(this.#agents[0]!, 'files/append', { key: this.#key, text: first.join('') })
    await Promise.all(
      this.#agents.map(async (who) => {
        for (let step = 0; step < STEPS; step++) await this.#step(who)
      }),
    )
    const [judge] = this.#agents
    for (const id of this.#suggestions.keys()) await this.#reject(judge!, id, null)
    await this.#check(first)
    return this.#outcome
  }

  async #step(who: Member): Promise<void> {
    const chance = this.#random()
    const ids = [...this.#suggestions.keys()]
    const id = ids[this.#below(ids.length)]
    if (chance < 0.25 && !this.#maySuggestOnly(who)) return this.#edit(who)
    if (chance < 0.55 || id === undefined) return this.#suggest(who)
    const hunks = this.#suggestions.get(id)!.map((_, i) => i + 1)
    const some = this.#random() < 0.3 ? null : hunks.filter(() => this.#random() < 0.5)
    if (some?.length === 0) return
    return chance < 0.85 ? this.#accept(who, id, some) : this.#reject(who, id, some)
  }

  #maySuggestOnly(who: Member): boolean {
    return this.#agents.indexOf(who) >= AGENTS - SUGGESTERS
  }

  async #read(who: Member): Promise<{ lines: string[]; version: number } | null> {
    const path = `files/content?key=${this.#key}`
    const found = await this.#call<{ file: { content: string; version: number } }>(who, path)
    if (found === null) return null
    return { lines: found.file.content.match(/[^\n]*\n/g) ?? [], version: found.file.version }
  }

  async #edit(who: Member): Promise<void> {
    const found = await this.#read(who)
    if (found === null) return
    const place = this.#below(LINES)
    const old = found.lines[place]!
    const word = this.#word()
    const body = { key: this.#key, find: old, replace: lineOf(place, word) }
    if ((await this.#call(who, 'files/edit', body)) === null) return
    this.#outcome.edited++
    this.#replaced(wordIn(old), word, 'an edit')
  }

  async #suggest(who: Member): Promise<void> {
    const found = await this.#read(who)
    if (found === null) return
    const { lines, version } = found
    for (let place = this.#below(LINES); place < LINES; place += APART + this.#below(LINES / 2)) {
      lines[place] = lineOf(place, this.#word())
    }
    const body = { key: this.#key, content: lines.join(''), base_version: version }
    const said = await this.#call<Said>(who, 'suggestions', body)
    if (said === null) return
    this.#outcome.suggested++
    const { suggestion_id: id, changes } = said.suggestion
    const hunks = changes.map(({ old, new: now }): Hunk => {
      return { from: wordIn(old), to: wordIn(now), verdict: null }
    })
    this.#suggestions.set(id, hunks)
  }

  async #accept(who: Member, id: string, hunks: number[] | null): Promise<void> {
    const body = hunks === null ? {} : { hunks }
    const said = await this.#call<Said>(who, `suggestions/${id}/accept`, body)
    if (said === null) return
    if (this.#maySuggestOnly(who)) this.#outcome.broken.push(`${who.agent} accepted ${id}`)
    for (const n of said.accepted) {
      const hunk = this.#judged(id, n, 'accepted')
      this.#replaced(hunk.from, hunk.to, `hunk ${n} of ${id}`)
    }
  }

  async #reject(who: Member, id: string, hunks: number[] | null): Promise<void> {
    const body = { reason: 'no', ...(hunks !== null && { hunks }) }
    const said = await this.#call<Said>(who, `suggestions/${id}/reject`, body)
    if (said === null) return
    for (const n of said.suggestion.decisions.at(-1)!.hunks) this.#judged(id, n, 'rejected')
  }

  #judged(id: string, n: number, verdict: 'accepted' | 'rejected'): Hunk {
    const hunk = this.#suggestions.get(id)![n - 1]!
    if (hunk.verdict !== null) {
      this.#outcome.broken.push(`hunk ${n} of ${id} is ${verdict} after ${hunk.verdict}`)
    }
    hunk.verdict = verdict
    this.#outcome[verdict]++
    return hunk
  }

  #replaced(from: string, to: string, by: string): void {
    const other = this.#became.get(from)
    if (other !== undefined)
      this.#outcome.broken.push(`${from} became ${other} and, by ${by}, ${to}`)
    this.#became.set(from, to)
  }

  /** Each line stands in its place, once, with the last word that its first one became. */
  async #check(first: readonly string[]): Promise<void> {
    const found = await this.#read(this.#agents[0]!)
    const { broken } = this.#outcome
    const wanted = first.map((line, place) => {
      let word = wordIn(line)
      for (let next = this.#became.get(word); next !== undefined; ) {
        word = next
        next = this.#became.get(word)
      }
      return lineOf(place, word)
    })
    for (const [place, line] of wanted.entries()) {
      const is = found?.lines[place]
      if (is !== line) broken.push(`line ${place} is ${is}, not ${line}`)
    }
    if (found?.lines.length !== LINES) broken.push(`${found?.lines.length} lines, not ${LINES}`)
  }
}
