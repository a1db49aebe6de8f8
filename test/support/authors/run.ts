import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as Y from 'yjs'
import type { FileBlame } from '../../../client/http/api.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import { docOf } from '../../../sync-server/sync/updates/document.ts'
import { type Agent, registered } from '../agent.ts'
import { ask, type Member, member } from '../auth/members.ts'
import { liveDoc, seeded, until } from '../client.ts'
import { type Server, startServer, tempDir } from '../server.ts'
import { FORGERIES } from './forge.ts'
import { letterOf, Oracle, readLetter, Wrong } from './oracle.ts'

export interface AuthorsOptions {
  seed: number
  /** Edits of all agents together (count). */
  edits: number
  /** Restarts of the server, every other one by kill -9; each ends a file (count). */
  restarts: number
  /** The most edits of a socket between two barriers (count). */
  burst: number
  /** An agent whose folder mirrors the files, by a process of its own. */
  withMirror: boolean
  onRestart?: (outcome: Outcome) => void
}

export interface Outcome {
  edits: number
  httpEdits: number
  mirrorEdits: number
  tasks: number
  /** Attempts to write as another (count), and how many closed the connection. */
  forgeries: number
  refused: number
  /** Operations compared with what their writers noted, and characters with their letters. */
  operations: number
  characters: number
  deletions: number
  /** Letters of others that an edit of a whole text typed again: they are its own (count). */
  retyped: number
}

/** Agents on sockets (count); one on HTTP and a mirror come to them. */
const SOCKETS = 4
const HTTP = SOCKETS
const MIRROR = SOCKETS + 1
const MALLORY = 'mallory'
/** A text is kept near this length (UTF-16 units). */
const LENGTH = 4_000
const FORGERY_CHANCE = 0.1

interface Writer {
  who: Member
  doc: Y.Doc
  slot: number
  task: string | null
  live: Awaited<ReturnType<typeof liveDoc>>
}

/** Random edits by six agents, checked against what each of them noted. Throws Wrong at the first wrong author. */
export const runAuthors = async (options: AuthorsOptions): Promise<Outcome> => {
  const run = new Authors(options)
  try {
    return await run.all()
  } finally {
    await run.close()
  }
}

const WORKSPACE = '/api/workspaces/default'

class Authors {
  readonly #options: AuthorsOptions
  readonly #random: () => number
  readonly #outcome: Outcome = {
    ...{ edits: 0, httpEdits: 0, mirrorEdits: 0, tasks: 0, forgeries: 0, refused: 0 },
    ...{ operations: 0, characters: 0, deletions: 0, retyped: 0 },
  }
  #server!: Server
  #oracle!: Oracle
  #writers: Writer[] = []
  #http!: Member & { slot: number; task: string | null }
  #mallory!: Member
  #mirror: (Agent & { id: string; dir: string }) | null = null
  #key = ''
  #root = ''

  constructor(options: AuthorsOptions) {
    this.#options = options
    this.#random = seeded(options.seed)
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most)
  }

  async all(): Promise<Outcome> {
    await this.#begin()
    const { edits, restarts, onRestart } = this.#options
    for (let file = 1; file <= restarts; file++) {
      await this.#newFile(file)
      while (this.#outcome.edits < (edits * file) / restarts) await this.#round()
      await this.#checkText()
      await this.#restart(file % 2 === 0)
      onRestart?.(this.#outcome)
    }
    this.#outcome.deletions = this.#oracle.deletions
    return this.#outcome
  }

  async #begin(): Promise<void> {
    this.#server = await startServer({ args: ['--log-level', 'fatal'] })
    const join = async (name: string): Promise<Member> => {
      const who = await member(this.#server, name)
      await this.#ask('register', { name }, who)
      return who
    }
    const names = Array.from({ length: SOCKETS }, (_, i) => `socket-${i}`)
    const members: Member[] = []
    for (const name of names) members.push(await join(name))
    this.#http = { ...(await join('over-http')), slot: 0, task: null }
    this.#mallory = await join(MALLORY)
    let mirror = 'none'
    if (this.#options.withMirror) {
      const dir = tempDir('mirrored')
      const agent = await registered(this.#server.url, 'Mirror')
      await agent.ask('mirror', dir)
      this.#mirror = { ...agent, dir }
      mirror = agent.id
    }
    this.#oracle = new Oracle([...names, 'over-http', mirror])
    for (const [i, who] of members.entries()) {
      const doc = new Y.Doc()
      const live = await liveDoc(`${this.#server.sync}/default`, doc, who.headers)
      const writer: Writer = { who, doc, slot: 0, task: null, live }
      this.#oracle.follow(doc, i, () => writer.slot)
      this.#writers.push(writer)
    }
  }

  async #ask<T>(path: string, body: object | undefined, who: Member): Promise<T> {
    const { data, error } = await this.#request<T>(path, body, who)
    if (error !== undefined) throw new Error(`${path}: ${error.code} ${error.message}`)
    return data
  }

  /** A request; again where the connection was kept from before a restart. */
  async #request<T>(path: string, body: object | undefined, { headers }: Member) {
    for (let left = 5; ; left--) {
      try {
        return await ask<T>(this.#server, `${WORKSPACE}/${path}`, body, headers)
      } catch (error) {
        if (left === 0) throw error
      }
    }
  }

  async #newFile(n: number): Promise<void> {
    this.#key = `file-${n}.md`
    const text = letterOf(HTTP, this.#http.slot).repeat(20)
    await this.#ask('files/append', { key: this.#key, text }, this.#http)
    const { doc } = this.#writers[0]!
    const entry = () => doc.getMap<{ fileId: string }>('files').get(this.#key)
    await until('the file is there', () => entry() !== undefined)
    this.#root = `file:${entry()!.fileId}`
    await this.#settle()
  }

  /** Edits of all at the same time, then a moment in which nothing is under way. */
  async #round(): Promise<void> {
    for (const writer of this.#writers) {
      for (let left = 1 + this.#below(this.#options.burst); left > 0; left--) this.#edit(writer)
    }
    await this.#editOverHttp()
    await this.#settle()
    // Now nobody else changes the text.
    await this.#editOverHttp()
    await this.#settle()
    if (this.#random() < FORGERY_CHANCE) await this.#forge()
    if (this.#random() < 0.1) await this.#changeTask()
    if (this.#mirror !== null && this.#random() < 0.02) await this.#editOnDisk(this.#mirror)
  }

  #edit({ doc, slot, who }: Writer): void {
    const text = doc.getText(this.#root)
    const at = this.#below(text.length + 1)
    const doesDelete = this.#random() < (text.length > LENGTH ? 0.6 : 0.35)
    if (doesDelete && at < text.length) {
      text.delete(at, Math.min(1 + this.#below(6), text.length - at))
    } else {
      const letters = letterOf(
        this.#writers.findIndex((one) => one.who === who),
        slot,
      )
      const isLine = this.#random() < 0.05
      text.insert(at, letters.repeat(1 + this.#below(6)) + (isLine ? '\n' : ''))
    }
    this.#outcome.edits++
  }

  /** Every replica and the server are the same afterwards. */
  async #settle(): Promise<void> {
    for (let i = 0; i < 2; i++) for (const writer of this.#writers) await this.#barrier(writer)
  }

  /** Waits for the server; connects again where a busy machine was taken for a silent client. */
  async #barrier(writer: Writer): Promise<void> {
    for (;;) {
      const { client } = writer.live
      const code = await Promise.race([client.barrier().then(() => null), client.closed])
      if (code === null) return
      if (code >= 4400 && code !== 4408) throw new Wrong(`an honest writer is closed with ${code}`)
      const { doc, who } = writer
      writer.live = await liveDoc(`${this.#server.sync}/default`, doc, who.headers)
    }
  }

  async #editOverHttp(): Promise<void> {
    if (this.#random() < 0.5) return
    const { slot } = this.#http
    const text = letterOf(HTTP, slot).repeat(1 + this.#below(4))
    const content = this.#writers[0]!.doc.getText(this.#root).toJSON()
    const at = this.#below(Math.max(1, content.length - 30))
    const find = content.slice(at, at + 30)
    if (find === '' || content.indexOf(find) !== content.lastIndexOf(find)) {
      await this.#ask('files/append', { key: this.#key, text }, this.#http)
      this.#outcome.edits++
      this.#outcome.httpEdits++
      return
    }
    // Others change it at this moment: then it is not found, which is no mistake.
    const cut = this.#below(find.length)
    const replace = find.slice(0, cut) + text + find.slice(cut + this.#below(4))
    const body = { key: this.#key, find, replace }
    const { error } = await this.#request('files/edit', body, this.#http)
    if (error !== undefined) return
    this.#outcome.edits++
    this.#outcome.httpEdits++
  }

  async #editOnDisk({ dir }: { dir: string }): Promise<void> {
    const path = join(dir, this.#key)
    const text = () => this.#writers[0]!.doc.getText(this.#root).toJSON()
    const read = (): string | null => {
      try {
        return readFileSync(path, 'utf8')
      } catch {
        return null
      }
    }
    await until('the mirror is up to date', () => read() === text(), 60_000)
    const before = text()
    const at = this.#below(before.length + 1)
    const letters = letterOf(MIRROR, 0).repeat(1 + this.#below(6))
    const after = before.slice(0, at) + letters + before.slice(at + this.#below(5))
    writeFileSync(path, after)
    await until('the mirror has sent it', () => text() === after, 60_000)
    this.#outcome.edits++
    this.#outcome.mirrorEdits++
  }

  async #forge(): Promise<void> {
    const names = Object.keys(FORGERIES)
    const forgery = FORGERIES[names[this.#below(names.length)]!]!
    const { who, doc } = this.#writers[this.#below(SOCKETS)]!
    const code = await forgery({
      ...{ url: `${this.#server.sync}/default`, headers: this.#mallory.headers },
      ...{ victim: { agent: who.agent, doc }, root: this.#root },
    })
    this.#outcome.forgeries++
    if (code !== null) this.#outcome.refused++
  }

  /** One agent ends its task, or takes one. */
  async #changeTask(): Promise<void> {
    const i = this.#below(SOCKETS + 1)
    const holder = i === SOCKETS ? this.#http : this.#writers[i]!
    const who = i === SOCKETS ? this.#http : this.#writers[i]!.who
    if (holder.task !== null) {
      const body = { state: 'completed', message: 'done' }
      await this.#ask(`tasks/${holder.task}/status`, body, who)
      Object.assign(holder, { task: null, slot: 0 })
    } else {
      const { task } = await this.#ask<{ task: { task_id: string } }>(
        ...(['tasks', { to: who.agent, task: 'write' }, this.#mallory] as const),
      )
      await this.#ask(`tasks/${task.task_id}/claim`, {}, who)
      const slot = this.#oracle.tasks.push(task.task_id) - 1
      Object.assign(holder, { task: task.task_id, slot })
      this.#outcome.tasks++
    }
    await this.#settle()
  }

  /** Each character's letter tells who wrote it: blame says the same. */
  async #checkText(): Promise<void> {
    await this.#settle()
    const text = this.#writers[0]!.doc.getText(this.#root).toJSON()
    const path = `files/blame?key=${this.#key}`
    const { ranges } = await this.#ask<FileBlame>(path, undefined, this.#writers[0]!.who)
    const lines = text.split('\n')
    for (const { from_line, to_line, parts = [], ...main } of ranges) {
      for (let n = from_line; n <= to_line; n++) {
        for (const [i, letter] of [...lines[n - 1]!].entries()) {
          const part = parts.find(({ from_column: from, to_column: to }) => from <= i + 1 && i < to)
          this.#checkLetter(letter, part ?? main, `line ${n}, column ${i + 1}`)
        }
      }
    }
  }

  #checkLetter(
    letter: string,
    {
      agent_id,
      task_id,
      at,
    }: FileBlame['ranges'][number] | Omit<FileBlame['ranges'][number], 'from_line' | 'to_line'>,
    where: string,
  ): void {
    const wrote = readLetter(letter)
    if (wrote === null) throw new Wrong(`${where}: ${JSON.stringify(letter)} is nobody's`)
    const wanted = [this.#oracle.names[wrote.agent], this.#oracle.tasks[wrote.slot]]
    const isWhole = [this.#http.agent, this.#mirror?.id].includes(agent_id)
    if (isWhole && agent_id !== wanted[0]) {
      this.#outcome.retyped++
      return
    }
    if (agent_id !== wanted[0] || task_id !== wanted[1] || at === null) {
      throw new Wrong(`${where} is ${wanted}'s, not ${[agent_id, task_id, at]}'s`)
    }
    this.#outcome.characters++
  }

  async #restart(isKill: boolean): Promise<void> {
    const { data, port } = this.#server
    for (const { live } of this.#writers) live.client.ws.terminate()
    if (isKill) await this.#server.kill()
    else await this.#server.stop()
    await this.#checkLog(data)
    this.#server = await startServer({ data, port, args: ['--log-level', 'fatal'] })
    for (const writer of this.#writers) {
      const { doc, who } = writer
      writer.live = await liveDoc(`${this.#server.sync}/default`, doc, who.headers)
    }
    await this.#settle()
  }

  async #checkLog(data: string): Promise<void> {
    const log = await LevelUpdateLog.open(data, Date.now, false)
    try {
      const doc = docOf(await log.load('default'))
      const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
      const map = await log.attribution('default', null)
      const owners = await log.owners('default')
      const others = new Set([this.#http.agent, ...(this.#mirror ? [this.#mirror.id] : [])])
      this.#outcome.operations += this.#oracle.check(map, owners, clocks, others)
      doc.destroy()
    } finally {
      await log.close()
    }
  }

  async close(): Promise<void> {
    for (const { live } of this.#writers) live.client.ws.terminate()
    await this.#mirror?.atLink('down')
    await this.#server?.kill()
  }
}
