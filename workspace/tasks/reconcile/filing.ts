import * as Y from 'yjs'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { findIn, putIn } from '../../document/buckets.ts'
import { deleteAll, type Element, elementsOf } from '../../document/rows.ts'
import {
  archivedTasks,
  type IntakeEntry,
  receiptsOf,
  submissionsOf,
  type TaskFacts,
  tasksOf,
} from '../../document/schema.ts'
import { isIntakeEntry, isReceipt, taskRecord } from '../../document/shape.ts'
import { someBroadcasts } from '../../messages/live-log.ts'
import { joined, receiptKey } from '../receipts.ts'
import { type ArchivedTask, storedTask, withNote } from '../task-archive.ts'
import { offersOf, push } from '../task-write.ts'

/** Takes what leaves the document; stored with the change or not at all. */
export type Archive = (entry: { shelf: 'tasks'; id: string; value: Uint8Array }) => void

type Entry<K extends IntakeEntry['kind']> = Extract<IntakeEntry, { kind: K }>

const isTask = (value: unknown): boolean => (value as Partial<IntakeEntry> | null)?.kind === 'task'
const placeOf = ({ client, clock }: Element): string => `${client}:${clock}`

/**
 * Files what clients hand in. The id of a task is its author's word: of several tasks with one id the first one counts, in
 * the document, in the archive and among what is handed in, where the place in the array says nothing. Server only.
 */
export class Intake {
  readonly #doc: Y.Doc
  readonly #onTask: (id: TaskId, facts: TaskFacts) => void
  /** Id of a task that is handed in → the element with which it came first. */
  readonly #first = new Map<string, string>()
  /** Whom the live messages with an id are for; null: to be looked for. */
  #addressees: Map<string, Set<AgentId>> | null = null
  readonly #onEvent = ({ changes }: Y.YArrayEvent<IntakeEntry>): void => {
    if (changes.added.size > 0) this.#noteFirst()
  }

  /** `onTask`: a task was filed. */
  constructor(doc: Y.Doc, onTask: (id: TaskId, facts: TaskFacts) => void) {
    this.#doc = doc
    this.#onTask = onTask
    this.#noteFirst()
    submissionsOf(doc).observe(this.#onEvent)
  }

  close(): void {
    submissionsOf(this.#doc).unobserve(this.#onEvent)
  }

  /** Elements of one event came in one commit: none of their writers knew of the others. */
  #noteFirst(): void {
    for (const element of elementsOf(submissionsOf(this.#doc))) {
      const { value } = element
      if (!isIntakeEntry(value) || value.kind !== 'task') continue
      if (!this.#first.has(value.id)) this.#first.set(value.id, placeOf(element))
    }
  }

  /**
   * Files what is handed in, until `isOver`; returns whether there is more. `archived` has the archived tasks that were looked
   * up, and is kept true; tasks that are to be looked up before the rest can be filed are added to `unknown`.
   */
  file(
    archived: Map<TaskId, ArchivedTask | null>,
    archive: Archive,
    unknown: Set<TaskId>,
    isOver: () => boolean = () => false,
  ): boolean {
    const intake = submissionsOf(this.#doc)
    if (intake.length === 0) return false
    this.#addressees = null
    const elements = [...elementsOf(intake)]
    const known = (id: TaskId): ArchivedTask | null | undefined => {
      const found = archived.get(id)
      if (found === undefined) unknown.add(id)
      return found
    }
    const fileOne = (element: Element): boolean => {
      const { value } = element
      // What has not the shape of docs/SCHEMA.md goes.
      if (!isIntakeEntry(value)) return true
      if (value.kind === 'receipt') return this.#fileReceipt(value)
      if (value.kind === 'task') return this.#fileTask(element, value, known)
      const { task, note } = value
      const record = taskRecord(this.#doc, task)
      if (record !== undefined) {
        push(record, 'notes', note)
        return true
      }
      const ended = known(task)
      if (ended != null) {
        const noted = withNote(ended, note)
        archive(storedTask(noted))
        archived.set(task, noted)
      }
      return ended !== undefined
    }
    const filed: number[] = []
    // Tasks first: the rest may be about them.
    const inTurn = [
      ...elements.filter(({ value }) => isTask(value)),
      ...elements.filter(({ value }) => !isTask(value)),
    ]
    let hasMore = false
    for (const element of inTurn) {
      hasMore = isOver()
      if (hasMore) break
      if (fileOne(element)) filed.push(element.index)
    }
    deleteAll(intake, filed)
    if (intake.length === 0) this.#first.clear()
    return hasMore
  }

  /** False: it has to wait until it is known whether the archive has its id. */
  #fileTask(
    element: Element,
    { id, facts }: Entry<'task'>,
    known: (id: TaskId) => ArchivedTask | null | undefined,
  ): boolean {
    const tasks = tasksOf(this.#doc)
    if ((this.#first.get(id) ?? placeOf(element)) !== placeOf(element)) return true
    if (findIn(tasks, id) !== undefined) return true
    if (archivedTasks(this.#doc) > 0) {
      const ended = known(id)
      if (ended !== null) return ended !== undefined
    }
    putIn(tasks, id, new Y.Map<unknown>([['facts', facts]]))
    this.#onTask(id, facts)
    return true
  }

  /** A receipt is for what is really addressed to who hands it in. */
  #fileReceipt({ id, by, delivered, read }: Entry<'receipt'>): true {
    const said = {
      ...(delivered !== undefined && { delivered }),
      ...(read !== undefined && { read }),
    }
    const record = taskRecord(this.#doc, id)
    if (record !== undefined) {
      const known = record.get('receipt')
      if (offersOf(record).some(({ to }) => to === by)) {
        record.set('receipt', joined(isReceipt(known) ? known : undefined, said))
      }
    } else if (this.#isFor(id, by)) {
      const receipts = receiptsOf(this.#doc)
      const key = receiptKey(this.#doc, id, by)
      const known = findIn(receipts, key)
      putIn(receipts, key, { ...joined(isReceipt(known) ? known : undefined, said), by })
    }
    return true
  }

  #isFor(id: string, agent: AgentId): boolean {
    if (this.#addressees === null) {
      this.#addressees = new Map()
      for (const { id, to } of someBroadcasts(this.#doc)) {
        if (to === undefined) continue
        const known = this.#addressees.get(id)
        if (known === undefined) this.#addressees.set(id, new Set([to]))
        else known.add(to)
      }
    }
    return this.#addressees.get(id)?.has(agent) ?? false
  }
}
