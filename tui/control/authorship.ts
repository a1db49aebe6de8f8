import type { UiFrame } from '../model/frame.ts'
import { type ReadPage, readPage } from '../model/state.ts'
import { pickedForMe } from '../views/for-me.ts'
import { isSplit } from '../views/parts/split.ts'
import { whyWatching } from '../views/parts/watching.ts'
import { aboutOf } from '../views/picked.ts'
import { isWaiting, pickedHunk, shownSuggestion } from '../views/suggestions.ts'
import { plannedUndo, undoSize, workWords } from '../views/undo.ts'
import { event, type Steps } from './effect.ts'
import { type FormName, openForm, runsOf } from './forms.ts'

const say = (text: string): Steps => [{ type: 'say', text }]

const opened = (kind: ReadPage['kind'], id: string): Steps => [
  event({ type: 'open', page: { kind, id, top: 0 } }),
]

/** The effect of commands about suggestions, and about taking back what somebody did. */
export const onAuthorshipCommand = (
  look: UiFrame,
  name: string,
  values: Readonly<Record<string, string>>,
): Steps => {
  const page = readPage(look.state)
  if (name === 'suggestions') return opened('suggestions', subjectOf(look))
  if (name === 'take-back') return takeBack(look, page, values.of)
  const item = page === null && look.state.view === 'me' ? pickedForMe(look) : null
  const shown = item === null ? page : item.page
  if (shown?.kind !== 'suggestion') return say('open a suggestion first: E, then enter')
  // Nobody judges what they have not seen.
  const isSeen = item === null || (isSplit(look) && shownSuggestion(look, shown) !== null)
  if (!isSeen) return [event({ type: 'open', page: shown })]
  const verdict = name.startsWith('accept') ? 'accept' : 'reject'
  const given = verdict === 'reject' ? values : {}
  if (name.endsWith('-all')) return form(look, verdict, shown.id, given)
  const change = pickedHunk(look, shown)
  if (change === null) return say('nothing waits in it')
  if (!isWaiting(change)) return say(`hunk ${change.hunk} is ${change.state} already`)
  return form(look, verdict, `${shown.id}#${change.hunk}`, given)
}

/** The file, task or agent that is picked or open, as the id of a list of suggestions. */
const subjectOf = (look: UiFrame): string => {
  for (const about of ['file', 'task', 'agent'] as const) {
    const id = aboutOf(look, about)
    if (id !== null) return `${about} ${id}`
  }
  return ''
}

/** Runs a command without fields, and one that is given its fields, at once. */
const form = (
  look: UiFrame,
  name: FormName,
  subject: string,
  known: Readonly<Record<string, string>>,
): Steps => {
  const filled = openForm(name, look.snapshot, subject, subject, known)
  const isWhole = filled.fields.every(({ line }) => line.text !== '')
  const runs = isWhole ? runsOf(filled, look.snapshot) : []
  if (runs.length > 0) return [{ type: 'run', runs, form: filled }]
  return [event({ type: 'mode', mode: { kind: 'form', form: filled } })]
}

/** Shows first what would be taken back; from there it is a question. */
const takeBack = (look: UiFrame, page: ReadPage | null, of: string | undefined): Steps => {
  if (of !== undefined) return opened('undo', workOf(look, of.trim()))
  if (page?.kind === 'undo') return askUndo(look, page)
  const [task, agent] = [aboutOf(look, 'task'), aboutOf(look, 'agent')]
  if (task !== null) return opened('undo', `task ${task}`)
  return agent === null ? say('pick an agent or a task first') : opened('undo', `agent ${agent}`)
}

/** A name, or an id of an agent, a task or an undo. */
const workOf = ({ snapshot }: UiFrame, of: string): string => {
  if (snapshot.taskById.has(of) || of.startsWith('t-')) return `task ${of}`
  return of.startsWith('u-') ? `id ${of}` : `agent ${of}`
}

const askUndo = (look: UiFrame, page: ReadPage): Steps => {
  const planned = plannedUndo(look, page)
  if (planned === null) return say('it is not read yet')
  if (planned.files.length === 0) return say('nothing of it is in the files')
  const refused = whyWatching(look.snapshot)
  if (refused !== null) return say(refused)
  const words = workWords(look.snapshot, page.id)
  const asked = openForm('take-back', look.snapshot, page.id, words)
  const note = `${undoSize(planned.files)}: ${planned.files.map(({ file_key }) => file_key).join(', ')}`
  return [event({ type: 'mode', mode: { kind: 'form', form: { ...asked, note } } })]
}
