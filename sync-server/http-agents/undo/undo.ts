import { byteLength } from '../../../lib/text/bytes.ts'
import { parseIso } from '../../../lib/text/when.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { random } from '../../../protocol/fresh-ids.ts'
import { newUndoId, type TaskId } from '../../../protocol/ids.ts'
import type { InputOf } from '../../../workspace/actions/inputs/field.ts'
import type * as inputs from '../../../workspace/actions/inputs/undo.ts'
import { resolveAgent } from '../../../workspace/agents/agents.ts'
import { applyUndo } from '../../../workspace/authorship/undo.ts'
import type { Selector } from '../../../workspace/authorship/undo-history.ts'
import type { UndoneFile, UndoReport } from '../../../workspace/authorship/undo-report.ts'
import { countEdit, versionOf } from '../../../workspace/files/edit-counts.ts'
import { checkSize } from '../../../workspace/files/put-file.ts'
import { tellUndone } from '../../../workspace/inbox/undone.ts'
import { entryOf, findEntry } from '../../../workspace/tasks/tasks.ts'
import { authorizeUndo } from '../../auth/authorize.ts'
import { MAX_DIFFS_BYTES } from '../../config/limits.ts'
import { putUndo } from '../../history/attribution/undos.ts'
import type { Caller } from '../../sync/principal.ts'
import { findArchived } from '../../tasks/scheduler.ts'
import { type ActionContext, registered } from '../context.ts'
import { onceUnderKey } from '../restore.ts'
import { PlannedUndo } from './planned.ts'

type Wanted = InputOf<typeof inputs.undo>

/** Plans of the same undo (count): texts that others change at the same time have to be planned again. */
const TRIES = 20

/**
 * Undoes changes of an agent, of a task, since a time or of an earlier undo, in one file or in all: one change in the
 * requesting agent's name. Throws `not_registered`, `usage`, `unknown_agent`, `ambiguous`, `unknown_task`,
 * `unknown_file`, `not_text`, `not_allowed` where the caller may not undo what others did, `too_large`, `quota`, and
 * `busy` where others change the texts all the time.
 */
export const undoFor = (
  context: ActionContext,
  caller: Caller,
  wanted: Wanted,
): Promise<UndoReport> => {
  const { httpAgent } = context
  registered(httpAgent)
  return httpAgent.turn(async () => {
    const selector = await selectorOf(context, wanted)
    if (wanted.dry_run) return preview(context, selector, wanted.key)
    return onceUnderKey(context, 'undo', wanted, () => run(context, caller, selector, wanted.key))
  })
}

const selectorOf = async (
  context: ActionContext,
  { agent, task, since, id }: Wanted,
): Promise<Selector> => {
  if ([agent, task, since, id].every((one) => one === undefined)) {
    throw new ClawError(
      'usage',
      'undo what?',
      'name an agent, a task, a time, or the id of an undo',
    )
  }
  return {
    ...(agent !== undefined && { agent: await agentMeant(context, agent) }),
    ...(task !== undefined && { task: await taskMeant(context, task) }),
    ...(since !== undefined && { since: parseIso(since) }),
    ...(id !== undefined && { undo: id }),
  }
}

/** An agent that has left is known by its id. */
const agentMeant = async (
  { env, httpAgent: { room } }: ActionContext,
  typed: string,
): Promise<string> => {
  const owners = await env.updateLog.owners(room.name)
  return room.command((doc) => {
    try {
      return resolveAgent(doc, typed)
    } catch (error) {
      if ([...owners.values()].includes(typed)) return typed
      throw error
    }
  })
}

const taskMeant = async (
  { env, httpAgent: { room } }: ActionContext,
  typed: string,
): Promise<string> => {
  const isLive = await room.command((doc) => findEntry(doc, typed as TaskId) !== undefined)
  if (isLive) return typed
  if ((await findArchived(env.updateLog, room.name, typed)) === null) {
    await room.command((doc) => void entryOf(doc, typed as TaskId))
  }
  return typed
}

const planned = (
  { httpAgent: { room } }: ActionContext,
  key: string | undefined,
): Promise<PlannedUndo> => room.command((doc) => new PlannedUndo(doc, key))

const preview = async (
  context: ActionContext,
  selector: Selector,
  key: string | undefined,
): Promise<UndoReport> => {
  const undo = await planned(context, key)
  try {
    await undo.plan(context, selector)
    const files: UndoneFile[] = []
    let bytes = 0
    for (const file of undo.changing) {
      const isFull = bytes >= MAX_DIFFS_BYTES
      const diff = isFull ? null : await diffOf(context, file)
      bytes += byteLength(diff ?? '')
      files.push({ ...undoneFile(file, versionOf(undo.doc, file.id)), diff })
    }
    return { undo: null, dry_run: true, files }
  } finally {
    undo.close()
  }
}

type Changing = PlannedUndo['changing'][number]

const diffOf = async (
  { env, httpAgent }: ActionContext,
  { key, before, plan }: Changing,
): Promise<string> => {
  const of = [before, plan.after, key, `${key} after the undo`] as [string, string, string, string]
  const { found, ms } = await env.texts.run('unified', of)
  httpAgent.spent(ms)
  return found
}

const undoneFile = ({ key, plan }: Changing, version: number): UndoneFile => ({
  ...{ file_key: key, version },
  ...{ removed: plan.removed, restored: plan.restored, lost: plan.lost },
  ...{ lines: plan.lines, overlaps: plan.overlaps },
})

const run = async (
  context: ActionContext,
  caller: Caller,
  selector: Selector,
  key: string | undefined,
): Promise<UndoReport> => {
  const { env, httpAgent } = context
  const me = httpAgent.agent
  if (selector.agent !== undefined) authorizeUndo(caller, me, [selector.agent])
  const undo = await planned(context, key)
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      await undo.plan(context, selector)
      const { changing } = undo
      const authors = changing.flatMap(({ plan }) => plan.authors)
      authorizeUndo(caller, me, [...new Set(authors)])
      const made = changing.filter(({ plan }) => plan.deletes.length + plan.restores.length > 0)
      if (made.length === 0) {
        const files = changing.map((file) => undoneFile(file, versionOf(undo.doc, file.id)))
        return { undo: null, dry_run: false, files }
      }
      const grows = made.reduce((sum, { plan }) => sum + plan.restored - plan.removed, 0)
      const write = { key: null, what: 'undo', payload: null, frees: () => grows < 0 }
      const report = await httpAgent.writeNow<{ report: UndoReport | null }>(write, (desk) => {
        if (!undo.isWhole(desk.doc)) return { report: null }
        for (const { plan } of made) checkSize(byteLength(plan.after))
        const id = newUndoId(random)
        for (const file of made) {
          const { doc } = desk
          const done = applyUndo(doc, file.text, file.plan)
          countEdit(doc, file.id, me, env.now())
          const record = { id, by: me, at: env.now(), task: null, ...done }
          desk.ops.push(putUndo(httpAgent.room.name, file.id, file.number, record))
        }
        const files = changing.map((file) => undoneFile(file, versionOf(desk.doc, file.id)))
        const told = files.filter(({ removed, restored, lost }) => removed + restored + lost > 0)
        tellUndone(desk.doc, { me, id, files: told, authors: new Set(authors), now: env.now() })
        return { report: { undo: id, dry_run: false, files } }
      })
      if (report.report !== null) return report.report
      if (undo.doc !== httpAgent.room.doc) break
    }
  } finally {
    undo.close()
  }
  throw new ClawError(
    'busy',
    'others change these files all the time',
    'try again, or file by file',
  )
}
