import * as Y from 'yjs'
import { LazyMap } from '../../../lib/lazy.ts'
import type { AgentId, TaskId } from '../../../protocol/ids.ts'
import { findIn, putIn } from '../../document/buckets.ts'
import { deleteAll, type Element, elementsOf } from '../../document/rows.ts'
import {
  archivedTasks,
  receiptsOf,
  type Submission,
  submissionsOf,
  type TaskFacts,
  tasksOf,
} from '../../document/schema.ts'
import { isReceipt, isSubmission, taskRecord } from '../../document/shape.ts'
import { someBroadcasts } from '../../messages/live-log.ts'
import { joined, receiptKey } from '../receipts.ts'
import { type ArchivedTask, storedTask, withNote } from '../task-archive.ts'
import { offersOf, push } from '../task-write.ts'

/** Receives an entry that leaves the document; it is stored with the change or not at all. */
export type Archive = (entry: { shelf: 'tasks'; id: string; value: Uint8Array }) => void

type SubmissionOf<K extends Submission['kind']> = Extract<Submission, { kind: K }>

const isTask = (value: unknown): boolean => (value as Partial<Submission> | null)?.kind === 'task'
const placeOf = ({ client, clock }: Element): string => `${client}:${clock}`

/**
 * Files what clients submit. Authors choose the ids of their tasks: of several tasks with one id the first counts, in the
 * document, in the archive and among the submissions, where the index in the array says nothing. Server only.
 */
export class SubmissionFiler {
  readonly #doc: Y.Doc
  readonly #onTask: (id: TaskId, facts: TaskFacts) => void
  /** Id of a submitted task → the element that brought it first. */
  readonly #first = new LazyMap<string, string>()
  /** Message id → the addressees of live messages with that id; null: not read yet. */
  #addressees: Map<string, Set<AgentId>> | null = null
  readonly #onEvent = ({ changes }: Y.YArrayEvent<Submission>): void => {
    if (changes.added.size > 0) this.#noteFirst()
  }

  /** Calls `onTask` for each task that it files. */
  constructor(doc: Y.Doc, onTask: (id: TaskId, facts: TaskFacts) => void) {
    this.#doc = doc
    this.#onTask = onTask
    this.#noteFirst()
    submissionsOf(doc).observe(this.#onEvent)
  }

  close(): void {
    submissionsOf(this.#doc).unobserve(this.#onEvent)
  }

  /** Elements of one event arrived in one commit: their writers did not know of each other. */
  #noteFirst(): void {
    for (const element of elementsOf(submissionsOf(this.#doc))) {
      const { value } = element
      if (!isSubmission(value) || value.kind !== 'task') continue
      if (!this.#first.has(value.id)) this.#first.set(value.id, placeOf(element))
    }
  }

  /**
   * Files submissions until `isOver`. Returns whether some are left that could be filed now. `archived` has the archived
   * tasks that were looked up, and is kept true. Adds the tasks to `unknown` that must be looked up before the rest can
   * be filed.
   */
  file(
    archived: Map<TaskId, ArchivedTask | null>,
    archive: Archive,
    unknown: Set<TaskId>,
    isOver: () => boolean = () => false,
  ): boolean {
    const submissions = submissionsOf(this.#doc)
    if (submissions.length === 0) return false
    this.#addressees = null
    const elements = [...elementsOf(submissions)]
    const known = (id: TaskId): ArchivedTask | null | undefined => {
      const found = archived.get(id)
      if (found === undefined) unknown.add(id)
      return found
    }
    const fileOne = (element: Element): boolean => {
      const { value } = element
      // An entry without the shape of docs/SCHEMA.md is dropped.
      if (!isSubmission(value)) return true
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
    deleteAll(submissions, filed)
    if (submissions.length === 0) this.#first.clear()
    return hasMore
  }

  /** False: the submission waits until the archive was asked for its id. */
  #fileTask(
    element: Element,
    { id, facts }: SubmissionOf<'task'>,
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

  /** Files a receipt only if its author is an addressee of the task or message. */
  #fileReceipt({ id, by, delivered, read }: SubmissionOf<'receipt'>): true {
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
