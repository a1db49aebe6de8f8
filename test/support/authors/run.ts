import * as Y from 'yjs'
import type { FileBlame } from '../../../client/http/api.ts'
import { openLog } from '../../../sync-server/storage/open-log.ts'
import { placeOf } from '../../../sync-server/storage/place.ts'
import type { AttributionMap } from '../../../sync-server/storage/update-log.ts'
import { docOf } from '../../../sync-server/sync/updates/document.ts'
import { type Agent, isAlive, linkPid, registered } from '../agent.ts'
import { ask, type Member, member } from '../auth/members.ts'
import { seeded, until } from '../client.ts'
import { type Server, startServer, tempDir } from '../server.ts'
import type { Opened } from '../tui/editor-session.ts'
import { checkBlame } from './check-blame.ts'
import { FORGERIES } from './forge.ts'
import { type Alone, check, letterOf, Oracle } from './oracle.ts'
import { within } from './patience.ts'
import { mustFind, PLANTS } from './planted.ts'
import { type Ask, editOnDisk, editOverHttp, suggestAndAccept, undoSome } from './through-server.ts'
import {
  barrier,
  type Chance,
  connect,
  editOnSocket,
  editorOf,
  pressKeys,
  type Writer,
} from './writers.ts'

export interface AuthorsOptions {
  seed: number
  /** Edits of all agents together (count). An edit is one operation on a text; a message may have several. */
  edits: number
  /** Restarts of the server, every other one by kill -9; each ends a file (count). */
  restarts: number
  /** The most edits of a socket between two barriers (count). */
  burst: number
  /** An agent whose folder mirrors the files, by a process of its own. */
  withMirror: boolean
  onRound?: (outcome: Outcome) => void
  /** True once no further edits are to be made: what was made is checked. */
  isOver?: () => boolean
}

export interface Outcome {
  edits: number
  /** Of them in the TUI's editor, over HTTP, by a mirrored folder, by undo and by an accepted suggestion. */
  tuiEdits: number
  httpEdits: number
  mirrorEdits: number
  undos: number
  accepted: number
  tasks: number
  /** Attempts to write as another (count), and how many closed the connection. */
  forgeries: number
  refused: number
  restarts: number
  /** Operations compared with what their writers noted, and characters with their letters. */
  operations: number
  characters: number
  deletions: number
  /** Operations of those who write through the server, noted while they acted alone (count). */
  notedAlone: number
  /** Characters of texts at their ends that an edit of whole lines had typed again: they are its own (count). */
  retyped: number
  /** Deletions by an agent that did not know that another had deleted the same (operations). */
  together: number
  /** Mistakes put into attributions that had none: each is found (count). */
  planted: number
}

/** Agents by their letters. The undoer and the judge write none of their own. */
const [TUI, HTTP, MIRROR, PROPOSER, UNDOER] = [3, 4, 5, 6, 7]
const SOCKETS = 4
const JUDGE = 'judge'
const MALLORY = 'mallory'
/** Chances in a round, of [0, 1): each kind of writer is in each ten thousand edits. */
const CHANCES = { together: 0.3, http: 0.5, accept: 0.3, undo: 0.2, mirror: 0.1 }
const RARE = { forgery: 0.2, task: 0.1 }
/** Mallory is no case of a limit, nor is a writer faster than a person. */
const UNLIMITED = ['offences', 'messages', 'bytes', 'work', 'handshakes', 'requests']
  .map((name) => `${name}=999999999`)
  .join()
const ARGS = ['--log-level', 'fatal', '--limit', UNLIMITED]
const WORKSPACE = '/api/workspaces/default'

/** Random edits by agents of all kinds, checked against what each of them did. Throws Wrong at the first wrong author. */
export const runAuthors = async (options: AuthorsOptions): Promise<Outcome> => {
  const run = new Authors(options)
  try {
    return await run.all()
  } finally {
    await run.close()
  }
}

class Authors {
  readonly #options: AuthorsOptions
  readonly #by: Chance
  readonly #outcome: Outcome = {
    ...{ edits: 0, tuiEdits: 0, httpEdits: 0, mirrorEdits: 0, undos: 0, accepted: 0, tasks: 0 },
    ...{ forgeries: 0, refused: 0, restarts: 0 },
    ...{
      operations: 0,
      characters: 0,
      deletions: 0,
      notedAlone: 0,
      retyped: 0,
      together: 0,
      planted: 0,
    },
  }
  readonly #members = new Map<string, Member>()
  readonly #http = { slot: 0, task: null as string | null }
  readonly #undos: string[] = []
  #server!: Server
  #oracle!: Oracle
  #writers: Writer[] = []
  #editor: Opened | null = null
  #mirror: (Agent & { id: string; dir: string }) | null = null
  #key = ''
  #root = ''

  constructor(options: AuthorsOptions) {
    this.#options = options
    const random = seeded(options.seed)
    this.#by = { random, below: (most) => Math.floor(random() * most) }
  }

  async all(): Promise<Outcome> {
    await this.#begin()
    const { edits, restarts, onRound, isOver = () => false } = this.#options
    for (let file = 1; file <= restarts && !isOver(); file++) {
      await this.#newFile(file)
      while (this.#outcome.edits < (edits * file) / restarts && !isOver()) {
        await this.#round()
        onRound?.(this.#outcome)
      }
      await this.#checkText()
      await this.#restart(file % 2 === 0)
    }
    return this.#outcome
  }

  async #begin(): Promise<void> {
    this.#server = await startServer({ args: ARGS })
    const sockets = Array.from({ length: SOCKETS }, (_, i) => (i === TUI ? 'tui' : `socket-${i}`))
    const names = [...sockets, 'over-http', 'none', 'proposer', 'undoer']
    for (const name of [...names, JUDGE, MALLORY]) {
      if (name === 'none') continue
      const who = await member(this.#server, name, name === 'undoer' ? 'admin' : 'write')
      this.#members.set(name, who)
      await this.#must('register', { name }, name)
    }
    if (this.#options.withMirror) {
      const dir = tempDir('mirrored')
      const agent = await registered(this.#server.url, 'Mirror')
      await agent.ask('mirror', dir)
      this.#mirror = { ...agent, dir }
      names[MIRROR] = agent.id
    }
    this.#oracle = new Oracle(names, new Map([[PROPOSER, JUDGE]]))
    for (const [index, name] of sockets.entries()) {
      const who = this.#members.get(name)!
      const doc = new Y.Doc()
      const client = await connect(this.#url, { doc, who })
      const writer: Writer = { index, who, doc, slot: 0, task: null, client }
      this.#oracle.follow(doc, index, () => writer.slot)
      this.#writers.push(writer)
    }
    this.#oracle.watch(this.#doc)
  }

  get #url(): string {
    return `${this.#server.sync}/default`
  }

  /** The replica that what others do is read from. */
  get #doc(): Y.Doc {
    return this.#writers[0]!.doc
  }

  #content(): string {
    return this.#doc.getText(this.#root).toJSON()
  }

  /** A request; again where the connection was kept from before a restart. */
  async #request<T>(path: string, body: object | undefined, name: string) {
    for (let left = 5; ; left--) {
      try {
        const { headers } = this.#members.get(name)!
        const asked = ask<T>(this.#server, `${WORKSPACE}/${path}`, body, headers)
        return await within(`${name} asks for ${path}`, asked)
      } catch (error) {
        if (left === 0 || (error as Error).message.startsWith('stands still')) throw error
      }
    }
  }

  async #must<T>(path: string, body: object | undefined, name: string): Promise<T> {
    const { data, error } = await this.#request<T>(path, body, name)
    if (error !== undefined) throw new Error(`${path}: ${error.code} ${error.message}`)
    return data
  }

  #as(name: string): Ask {
    return async <T>(path: string, body?: object) => {
      const { data, error } = await this.#request<T>(path, body, name)
      return { data, error: error?.code ?? null }
    }
  }

  async #newFile(n: number): Promise<void> {
    this.#key = `file-${n}.md`
    const text = letterOf(HTTP, this.#http.slot).repeat(20)
    await this.#must('files/append', { key: this.#key, text }, 'over-http')
    const entry = () => this.#doc.getMap<{ fileId: string }>('files').get(this.#key)
    await until('the file is there', () => entry() !== undefined)
    this.#root = `file:${entry()!.fileId}`
    await this.#settle()
    this.#undos.length = 0
    this.#editor?.session.close()
    this.#editor = editorOf(this.#writers[TUI]!, this.#key)
  }

  /** Edits of all at the same time, then of some alone, with nothing under way. */
  async #round(): Promise<void> {
    const outcome = this.#outcome
    for (const writer of this.#writers) {
      const isTui = writer.index === TUI
      const most = this.#options.burst / (isTui ? 20 : 1)
      for (let left = 1 + this.#by.below(most); left > 0; ) {
        const done = isTui
          ? pressKeys(this.#editor!, writer, this.#by)
          : editOnSocket(writer, this.#root, this.#by)
        outcome.edits += done
        if (isTui) outcome.tuiEdits += done
        left -= Math.max(1, done)
      }
    }
    this.#editor?.pass(1_000)
    if (this.#by.random() < CHANCES.together) await this.#editOverHttp()
    await this.#settle()
    if (this.#by.random() < CHANCES.http) await this.#alone(HTTP, () => this.#editOverHttp())
    if (this.#by.random() < CHANCES.accept) await this.#alone(PROPOSER, () => this.#suggest())
    if (this.#by.random() < CHANCES.undo) await this.#alone(UNDOER, () => this.#undo())
    const isDisk = this.#mirror !== null && this.#by.random() < CHANCES.mirror
    if (isDisk) await this.#alone(MIRROR, () => this.#editOnDisk())
    if (this.#by.random() < RARE.forgery) await this.#forge()
    if (this.#by.random() < RARE.task) await this.#changeTask()
  }

  /** `work` returns the units that it may type again. */
  async #alone(agent: number, work: () => Promise<number | null>): Promise<void> {
    const slot = agent === HTTP ? this.#http.slot : 0
    const who: Alone = { agent, slot, putsBack: agent === UNDOER }
    await this.#oracle.alone(who, async () => {
      const before = this.#oracle.retypedBy(agent)
      const most = (await work()) ?? 0
      await this.#settle()
      const again = this.#oracle.retypedBy(agent) - before
      check(again <= most, () => `${again} letters are typed again, not at most ${most}`)
    })
  }

  async #editOverHttp(): Promise<number | null> {
    const letter = letterOf(HTTP, this.#http.slot)
    const of = [this.#as('over-http'), this.#key, this.#content(), letter, this.#by] as const
    return this.#counts('httpEdits', await editOverHttp(...of))
  }

  async #suggest(): Promise<number | null> {
    const [propose, judge] = [this.#as('proposer'), this.#as(JUDGE)]
    const of = [this.#key, this.#content(), letterOf(PROPOSER, 0), this.#by] as const
    return this.#counts('accepted', await suggestAndAccept(propose, judge, ...of))
  }

  async #undo(): Promise<number | null> {
    const agents = this.#oracle.names.slice(0, UNDOER).filter((name) => name !== 'none')
    const tasks = this.#oracle.tasks.flatMap((task) => task ?? [])
    const known = { agents, tasks, undos: this.#undos }
    const id = await undoSome(this.#as('undoer'), this.#key, known, this.#by)
    if (id !== null) this.#undos.push(id)
    return this.#counts('undos', id === null ? null : 0)
  }

  async #editOnDisk(): Promise<number | null> {
    const text = () => this.#content()
    const of = [this.#mirror!.dir, this.#key, text, letterOf(MIRROR, 0), this.#by] as const
    return this.#counts('mirrorEdits', await editOnDisk(...of))
  }

  #counts(as: 'httpEdits' | 'mirrorEdits' | 'undos' | 'accepted', made: number | null) {
    if (made !== null) {
      this.#outcome.edits++
      this.#outcome[as]++
    }
    return made
  }

  /** Every replica and the server are the same afterwards. */
  async #settle(): Promise<void> {
    for (let i = 0; i < 2; i++) for (const writer of this.#writers) await barrier(this.#url, writer)
  }

  async #forge(): Promise<void> {
    const names = Object.keys(FORGERIES)
    const name = names[this.#by.below(names.length)]!
    const { who, doc } = this.#writers[this.#by.below(SOCKETS)]!
    const forging = FORGERIES[name]!({
      ...{ url: this.#url, headers: this.#members.get(MALLORY)!.headers },
      ...{ victim: { agent: who.agent, doc }, root: this.#root },
    })
    const code = await within(`mallory ${name}`, forging)
    this.#outcome.forgeries++
    if (code !== null) this.#outcome.refused++
  }

  /** One agent ends its task, or takes one. */
  async #changeTask(): Promise<void> {
    const i = this.#by.below(SOCKETS + 1)
    const holder = i === SOCKETS ? this.#http : this.#writers[i]!
    const name = i === SOCKETS ? 'over-http' : this.#oracle.names[i]!
    if (holder.task !== null) {
      const body = { state: 'completed', message: 'done' }
      await this.#must(`tasks/${holder.task}/status`, body, name)
      Object.assign(holder, { task: null, slot: 0 })
    } else {
      const { agent } = this.#members.get(name)!
      const body = { to: agent, task: 'write' }
      const made = await this.#must<{ task: { task_id: string } }>('tasks', body, MALLORY)
      const { task_id: task } = made.task
      await this.#must(`tasks/${task}/claim`, {}, name)
      const slot = this.#oracle.tasks.push(task) - 1
      Object.assign(holder, { task, slot })
      this.#outcome.tasks++
    }
    await this.#settle()
    if (i === SOCKETS) this.#oracle.changeTask(HTTP, this.#http.slot, this.#doc)
  }

  /** Each character's letter tells who wrote it: blame says the same. */
  async #checkText(): Promise<void> {
    await this.#settle()
    const path = `files/blame?key=${this.#key}`
    const { ranges } = await this.#must<FileBlame>(path, undefined, 'over-http')
    const found = checkBlame(this.#content(), ranges, this.#oracle, {
      ...{ wholeLines: [HTTP, MIRROR, PROPOSER], undoer: 'undoer' },
      judge: (agent) => (agent === PROPOSER ? JUDGE : null),
    })
    const { deletions, notedAlone } = this.#oracle
    this.#outcome.characters += found.characters
    this.#outcome.retyped += found.retyped
    Object.assign(this.#outcome, { deletions, notedAlone })
  }

  async #restart(isKill: boolean): Promise<void> {
    const { data, port } = this.#server
    for (const { client } of this.#writers) client.ws.terminate()
    if (isKill) await this.#server.kill()
    else await this.#server.stop()
    await this.#checkLog(data)
    this.#server = await startServer({ data, port, args: ARGS })
    for (const writer of this.#writers) writer.client = await connect(this.#url, writer)
    await this.#settle()
    this.#outcome.restarts++
  }

  async #checkLog(data: string): Promise<void> {
    const log = await openLog(placeOf(data, null), Date.now, false)
    try {
      const doc = docOf(await log.load('default'))
      const clocks = Y.decodeStateVector(Y.encodeStateVector(doc))
      const map = await log.attribution('default', null)
      const owners = await log.owners('default')
      const checked = (found: AttributionMap, by: ReadonlyMap<number, string>): number =>
        this.#oracle.check(found, by, clocks, 'over-http')
      this.#outcome.operations += checked(map, owners)
      this.#outcome.together = this.#oracle.together
      for (const plant of PLANTS) {
        this.#outcome.planted += mustFind(plant, { map, owners }, this.#oracle, this.#by, checked)
      }
      doc.destroy()
    } finally {
      await log.close()
    }
  }

  async close(): Promise<void> {
    this.#editor?.session.close()
    for (const { client } of this.#writers) client.ws.terminate()
    if (this.#mirror !== null) {
      const pid = linkPid(this.#mirror.home)
      await this.#mirror.atLink('down')
      await until('the link is gone', () => pid === null || !isAlive(pid))
    }
    await this.#server?.kill()
  }
}
