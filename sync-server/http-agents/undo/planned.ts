import type * as Y from 'yjs'
import type { DeletedText } from '../../../lib/attribution/runs.ts'
import { ClawError } from '../../../protocol/errors.ts'
import type { FileId, FileKey } from '../../../protocol/ids.ts'
import { planInSteps, type UndoPlan } from '../../../workspace/authorship/undo.ts'
import type {
  Selector,
  TextHistory,
  UndoRecord,
} from '../../../workspace/authorship/undo-history.ts'
import { FILE_PREFIX, textOf } from '../../../workspace/document/schema.ts'
import { serverClientsOf } from '../../../workspace/document/server-clients.ts'
import { isBinary, notText } from '../../../workspace/files/blobs.ts'
import { agentsOfEdits } from '../../../workspace/files/edit-counts.ts'
import { allFiles, getFile } from '../../../workspace/files/tree.ts'
import { agentsOf } from '../../history/attribution/blame.ts'
import { type FileUndos, readUndos } from '../../history/attribution/undos.ts'
import { requestBudget } from '../../limits/fair-scheduler.ts'
import { timed } from '../../limits/timed.ts'
import type { AttributionMap } from '../../storage/update-log.ts'
import type { ActionContext } from '../context.ts'

/** A text with its undo as planned; null: it has to be planned anew. */
export interface PlannedFile {
  key: FileKey
  id: FileId
  text: Y.Text
  before: string
  plan: UndoPlan | null
  /** True if it changed since the moment that the plan is for. */
  isChanged: boolean
  /** The number that the next undo of it gets. */
  number: number
}

/**
 * The undo of texts, planned between two turns of the room: what the plans are made of is read from the disk. A text that
 * changes meanwhile loses its plan.
 */
export class PlannedUndo {
  readonly doc: Y.Doc
  readonly files: PlannedFile[]
  readonly #close: (() => void)[] = []

  /** Call it in a turn. Throws `unknown_file`, `not_text`. */
  constructor(doc: Y.Doc, key: string | undefined) {
    this.doc = doc
    const leaves = key === undefined ? allFiles(doc) : [getFile(doc, key)]
    if (key !== undefined && isBinary(leaves[0]!.entry)) {
      throw notText(leaves[0]!.key, leaves[0]!.entry.mediaType)
    }
    this.files = leaves
      .filter(({ entry }) => !isBinary(entry))
      .map(({ key, entry: { fileId: id } }) => {
        const text = textOf(doc, id)
        const file: PlannedFile = {
          key,
          id,
          text,
          before: '',
          plan: null,
          isChanged: false,
          number: 0,
        }
        const changed = (): void => {
          file.isChanged = true
          file.plan = null
        }
        text.observe(changed)
        this.#close.push(() => text.unobserve(changed))
        return file
      })
  }

  /** True while each text is as it was planned. Call it in a turn. */
  isWhole(doc: Y.Doc): boolean {
    return this.doc === doc && this.files.every(({ plan }) => plan !== null)
  }

  /** Those in which there is something to undo, or to tell of it. */
  get changing(): (PlannedFile & { plan: UndoPlan })[] {
    return this.files.filter((file): file is PlannedFile & { plan: UndoPlan } => {
      const { plan } = file
      return (
        plan !== null &&
        plan.deletes.length + plan.restores.length + plan.lost + plan.overlaps.length > 0
      )
    })
  }

  /** Plans all texts that have no plan. */
  async plan(context: ActionContext, selector: Selector): Promise<void> {
    const { env, httpAgent } = context
    const { room } = httpAgent
    const log = env.updateLog
    const waiting = this.files.filter(({ plan }) => plan === null)
    // The content of this turn is on disk afterwards, and so is its attribution.
    await room.command(() => {
      for (const file of waiting) file.isChanged = false
    })
    const runs = await log.attribution(room.name, null)
    const owners = await log.owners(room.name)
    const undos = await readUndos(log.facts, room.name)
    checkUndo(undos, selector)
    for (const file of waiting) {
      const { id } = file
      const { records, next } = undos.get(id) ?? { records: [], next: 0 }
      file.number = next
      const counted = new Map(
        agentsOfEdits(this.doc, id).map(([client, agent]) => [Number(client), agent] as const),
      )
      const servers = serverClientsOf(this.doc)
      const ownerOf = agentsOf(owners, { counted, servers }, runs.inserts)
      const texts = await log.deletedTexts(room.name, `${FILE_PREFIX}${id}`)
      const history = historyOf({ runs, undos: records, ownerOf }, texts)
      await planFile(file, history, selector, (ms) => httpAgent.spent(ms))
    }
  }

  close(): void {
    for (const close of this.#close) close()
  }
}

/** Plans a text, a few milliseconds at a time. It has no plan afterwards where it changes meanwhile. */
const planFile = async (
  file: PlannedFile,
  history: TextHistory,
  selector: Selector,
  spent: (ms: number) => void,
): Promise<void> => {
  await requestBudget.next()
  file.before = file.text.toJSON()
  const steps = planInSteps(file.text, history, selector)
  const step = timed(spent, () => steps.next())
  while (!file.isChanged) {
    const { done, value } = step()
    if (done === true) {
      file.plan = value
      return
    }
    await requestBudget.next()
  }
}

/** Throws `unknown_undo`. */
const checkUndo = (undos: ReadonlyMap<FileId, FileUndos>, { undo }: Selector): void => {
  if (undo === undefined) return
  if ([...undos.values()].some(({ records }) => records.some(({ id }) => id === undo))) return
  throw new ClawError('unknown_undo', `no undo has the id ${undo}`, 'use the id that undo printed')
}

type Piece = Omit<DeletedText, 'root'>

const historyOf = (
  {
    runs: { inserts, deletes, again },
    undos,
    ownerOf,
  }: { runs: AttributionMap; undos: readonly UndoRecord[]; ownerOf: TextHistory['ownerOf'] },
  pieces: readonly Piece[],
): TextHistory => {
  const texts = new Map<number, Piece[]>()
  for (const piece of pieces) {
    const list = texts.get(piece.client) ?? []
    list.push(piece)
    texts.set(piece.client, list)
  }
  for (const list of texts.values()) list.sort((a, b) => a.clock - b.clock)
  return { inserts, deletes, again, texts, undos, ownerOf }
}
