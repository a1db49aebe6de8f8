import type { Attached } from '../../client/resident/attach.ts'
import type { Ran } from '../../client/resident/run.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { FileKey } from '../../protocol/ids.ts'
import type { Message } from '../../workspace/messages/message.ts'
import { readBy } from '../model/for-me.ts'
import type { UiFrame } from '../model/frame.ts'
import { tellingOf } from '../model/notifications.ts'
import { speedOf } from '../model/reads.ts'
import type { Snapshot } from '../model/snapshot.ts'
import {
  BROWSE,
  type Event,
  type Form,
  initialState,
  type Page,
  readPage,
  reduce,
  type Toast,
} from '../model/state.ts'
import { Store } from '../model/store.ts'
import type { Mouse } from '../terminal/mouse.ts'
import type { Press } from '../terminal/press.ts'
import { needsOf, textsOf } from '../views/pages.ts'
import { onMouse, onPaste, onPress } from './control.ts'
import type { Effect, Steps } from './effect.ts'
import type { Run } from './form-spec.ts'
import { openForm, type RunStep } from './forms.ts'
import { readOlder } from './older.ts'
import { onTick } from './past.ts'
import { Player } from './player.ts'
import { Reading } from './reading.ts'
import { Wording } from './wording.ts'

/** Time that a toast stays, in milliseconds; an error stays twice as long. */
const TOAST_MS: Readonly<Record<Toast['tone'], number>> = {
  good: 4_000,
  plain: 20_000,
  warn: 8_000,
  bad: 12_000,
}

/** Time that a join link stays, in milliseconds: without a clipboard it is copied by hand. */
const LINK_MS = 300_000

export interface DeskOptions {
  columns: number
  rows: number
  plain: boolean
  /** Milliseconds since the epoch. */
  now: () => number
  /** Leaves the program; `why`: it never had contact with the server. */
  quit: (why?: string) => void
  /** Gives the terminal to the shell until that lets the program go on. */
  suspend: () => void
  /** Puts a text on the terminal's clipboard, if it has one. */
  copy?: (text: string) => void
  /** Something for me came in. */
  ring: () => void
}

/** Holds a person's state and the snapshot, as one frame. Keys and clicks go in, verbs go out. */
export class Controller {
  look: UiFrame
  readonly store: Store
  readonly #attached: Attached
  readonly #options: DeskOptions
  readonly #listeners = new Set<() => void>()
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #ends: (() => void)[]
  readonly #reading: Reading
  readonly #wording = new Wording((words) => this.#see({ words }))
  readonly #player = new Player(() => this.#take(onTick(this.look)))
  #toasts = 0
  #isLoading = false
  /** True from the first contact with the server on. */
  #hadContact = false
  /** True once this person was asked who they are. */
  #wasAsked = false
  #wasRevoked = false
  /** Entries before this are in the feed, as far as the server's log has them. */
  #olderThan = Number.POSITIVE_INFINITY
  #span: number | undefined

  constructor(attached: Attached, options: DeskOptions) {
    this.#attached = attached
    this.#options = options
    this.store = new Store(attached, options.now)
    const { columns, rows, plain } = options
    const { snapshot } = this.store
    const state = initialState(snapshot.now)
    this.#reading = new Reading(attached, (reads) => this.#see({ reads }))
    const { reads } = this.#reading
    const { words } = this.#wording
    this.look = { snapshot, state, reads, words, columns, rows, plain }
    this.#ends = [
      this.store.subscribe(() => this.#onSnapshot(this.store.snapshot)),
      attached.onMessages((messages) => this.#tell(messages)),
    ]
    this.#welcome()
  }

  subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  press(press: Press): void {
    this.#take(onPress(this.look, press))
  }

  paste(text: string): void {
    this.#take(onPaste(this.look, text))
  }

  mouse(mouse: Mouse): void {
    this.#take(onMouse(this.look, mouse))
  }

  /** Goes back from the page on top, for what has the keys itself. */
  leavePage = (): void => {
    this.#apply({ type: 'back' })
  }

  resize(columns: number, rows: number): void {
    if (columns !== this.look.columns || rows !== this.look.rows) this.#see({ columns, rows })
  }

  close(): void {
    for (const end of this.#ends.splice(0)) end()
    for (const timer of this.#timers) clearTimeout(timer)
    this.#player.close()
    this.#reading.close()
    this.#wording.close()
    this.store.close()
    this.#listeners.clear()
  }

  toast(tone: Toast['tone'], text: string, hint = '', ms = TOAST_MS[tone]): void {
    const id = ++this.#toasts
    this.#apply({ type: 'toast', toast: { id, tone, text, hint } })
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      this.#apply({ type: 'toast-gone', id })
    }, ms)
    this.#timers.add(timer)
  }

  #onSnapshot(snapshot: Snapshot): void {
    this.#see({ snapshot })
    this.#welcome()
    const isRevoked = snapshot.contact.code === 'revoked'
    if (isRevoked && !this.#wasRevoked) {
      const hint = 'ask for a new join link, then: clawlink -'
      this.toast('bad', 'your access was revoked: nothing that you write is sent', hint)
    }
    this.#wasRevoked = isRevoked
  }

  /** Asks once who this person is, if they may write; before the first contact it says what keeps it from there. */
  #welcome(): void {
    const { snapshot, state } = this.look
    const { me, role, contact, agents } = snapshot
    const { mode } = state
    this.#hadContact ||= contact.connected
    const isAsked = mode.kind === 'form' && mode.form.name === 'register' && !mode.form.isSending
    if (me === null && !this.#hadContact && agents.length === 0) {
      if (mode.kind !== 'connect') this.#apply({ type: 'mode', mode: { kind: 'connect' } })
    } else if (me === null && role !== 'read' && !this.#wasAsked) {
      this.#wasAsked = true
      const form = openForm('register', snapshot, '', '')
      this.#apply({ type: 'mode', mode: { kind: 'form', form: { ...form, at: 0 } } })
    } else if (mode.kind === 'connect' || (isAsked && me !== null)) {
      // Whoever was registered elsewhere meanwhile, as by clawlink-agent, need not be asked.
      this.#apply({ type: 'mode', mode: BROWSE })
    }
  }

  #take(steps: Steps): void {
    for (const step of steps) {
      switch (step.type) {
        case 'event':
          if (step.event.type === 'open') this.#reading.refresh()
          this.#apply(step.event)
          if (step.event.type === 'open') this.#markRead(step.event.page)
          break
        case 'say':
          this.toast('bad', step.text)
          break
        case 'tell':
          this.toast('good', step.text)
          break
        case 'copy':
          this.#options.copy?.(step.text)
          this.toast('good', `copied: ${step.text}`)
          break
        case 'run':
          void this.#runAll(step.runs, step.form)
          break
        case 'ask':
          void this.#ask(step)
          break
        case 'older':
          void this.#loadOlder()
          break
        case 'invite':
          void this.#invite()
          break
        case 'suspend':
          this.#options.suspend()
          break
        case 'quit':
          this.#quit()
          break
      }
    }
  }

  /** Acknowledges the messages that a page shows. */
  #markRead(page: Page): void {
    const { me, unread } = this.look.snapshot
    const ids = me === null ? [] : readBy(unread, page)
    if (ids.length > 0) void this.#attached.run(['poll', `--id=${ids.join(',')}`])
  }

  /** Carries out the commands of a form, until one is refused: the form is then about that one and those after it. */
  async #runAll(runs: readonly RunStep[], form: Form): Promise<void> {
    for (const [i, run] of runs.entries()) {
      const { code, error, data, stderr } = await this.#perform(run)
      if (code !== 0) {
        const text = error?.message ?? (stderr.trim() || `${run.argv[0]} ended with ${code}`)
        this.#refuse(form, run.rest, text, error?.hint ?? '')
        return
      }
      if (run.removes !== undefined) this.#apply({ type: 'removed', path: run.removes })
      if (form.name === 'undo') this.#apply({ type: 'brought-back', path: form.subject })
      if (i === runs.length - 1) this.#onDone(run, data, form, runs.length)
    }
  }

  async #perform(run: Run): Promise<Ran> {
    try {
      return await this.#attached.run(run.argv, run.stdin)
    } catch (thrown) {
      const error = ClawError.from(thrown)
      return { code: error.exit, error: error.toBody(), stderr: '' }
    }
  }

  /** The last command of a form has succeeded; `count` were carried out. */
  #onDone(run: Run, data: unknown, form: Form, count: number): void {
    if (this.#isSending(form)) this.#apply({ type: 'mode', mode: BROWSE })
    this.#apply({ type: 'unmark' })
    this.#apply({ type: 'forget', form })
    // Whoever replies to a message, or does something about its task, has read it.
    for (const id of [form.subject, ...form.others]) this.#markRead({ kind: 'entry', id, top: 0 })
    const { durable, file } = (data ?? {}) as { durable?: boolean; file?: { file_key: FileKey } }
    const late = durable === false ? '; queued until the server is back' : ''
    const more = count === 1 ? '' : `, and ${count - 1} more`
    this.toast('good', `${run.done}${more}${late}`, run.hintOf?.(data) ?? run.hint)
    this.#reading.refresh()
    // Whoever has gone on to something else meanwhile is not taken from it.
    if (run.opens && file !== undefined && this.look.state.mode.kind === 'browse') {
      this.#apply({ type: 'made', path: file.file_key })
    }
  }

  #quit(): void {
    const { state, snapshot } = this.look
    const why = `not connected to ${snapshot.where.server}: ${snapshot.contact.why ?? 'no answer'}`
    this.#options.quit(state.mode.kind === 'connect' ? why : undefined)
  }

  /** Opens a form that tells what the command would do. */
  async #ask({ argv, form, note }: Extract<Effect, { type: 'ask' }>): Promise<void> {
    const { data, error } = await this.#attached.run(argv)
    const { snapshot, state } = this.look
    if (error !== undefined) this.toast('bad', error.message, error.hint)
    else if (state.mode.kind === 'browse') {
      const told = { ...form, note: note(data, snapshot) }
      this.#apply({ type: 'mode', mode: { kind: 'form', form: told } })
    }
  }

  /** `rest`: the form of what was refused, and of what was not tried after it. */
  #refuse(form: Form, rest: Form, text: string, hint: string): void {
    const isTyped = form.fields.length > 0
    const wrong = [text, hint].filter((part) => part !== '').join(' — ')
    if (this.#isSending(form) || (isTyped && this.look.state.mode.kind === 'browse')) {
      const again = { ...rest, wrong, isSending: false }
      this.#apply({ type: 'mode', mode: { kind: 'form', form: again } })
    } else this.toast('bad', text, hint)
  }

  /** True if this form is on the screen and waits for its outcome. */
  #isSending({ name, subject }: Form): boolean {
    const { mode } = this.look.state
    if (mode.kind !== 'form' || !mode.form.isSending) return false
    return mode.form.name === name && mode.form.subject === subject
  }

  /** Makes a join link, which takes the role admin. */
  async #invite(): Promise<void> {
    const { data, error } = await this.#attached.run(['invite'])
    const { link } = (data ?? {}) as { link?: string }
    if (link === undefined) this.toast('bad', error?.message ?? 'no invite was made', error?.hint)
    else {
      this.#options.copy?.(link)
      const hint = 'copied: to join, clawlink - or clawlink-agent join -; esc hides it'
      this.toast('plain', link, hint, LINK_MS)
    }
  }

  async #loadOlder(): Promise<void> {
    if (this.#isLoading) return
    this.#isLoading = true
    const said = this.store.snapshot.feed.find(
      ({ kind }) => kind === 'broadcast' || kind === 'direct',
    )
    const before = Math.min(this.#olderThan, said?.at ?? this.#options.now())
    try {
      const { entries, span } = await readOlder(this.#attached, before, this.#span)
      this.#span = span
      this.#olderThan = Math.min(before, ...entries.map(({ at }) => at))
      const added = this.store.addSaid(entries)
      if (entries.length === 0) this.toast('good', 'nothing older')
      else if (added > 0) this.toast('good', `${added} older entries`)
      else this.toast('plain', 'the feed is full', 'clawlink-agent log --since … has older entries')
    } catch (error) {
      this.toast('bad', `no older entries: ${ClawError.from(error).message}`)
    } finally {
      this.#isLoading = false
    }
  }

  #tell(messages: readonly Message[]): void {
    const told = messages.flatMap((message) => tellingOf(message, this.look.snapshot) ?? [])
    if (told.length === 0) return
    if (this.look.state.held !== null) {
      this.#apply({ type: 'held', count: told.length })
      return
    }
    for (const { text, hint } of told.slice(-3)) this.toast('warn', text, hint)
    this.#options.ring()
  }

  #apply(event: Event): void {
    const state = reduce(this.look.state, event)
    if (state !== this.look.state) this.#see({ state })
  }

  #see(change: Partial<UiFrame>): void {
    this.look = { ...this.look, ...change }
    this.#reading.want(needsOf(this.look))
    this.#wording.want(textsOf(this.look))
    const page = readPage(this.look.state)
    this.#player.follow(page?.isPlaying === true ? speedOf(page.speed).ms : null)
    for (const listener of this.#listeners) listener()
  }
}
