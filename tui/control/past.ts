import { parseIso, parseSpan } from '../../lib/text/when.ts'
import type { UiFrame } from '../model/frame.ts'
import { NORMAL_SPEED, SPEEDS, speedOf } from '../model/reads.ts'
import { type Event, type ReadPage, readPage } from '../model/state.ts'
import { lineOf } from '../terminal/line.ts'
import { comparedNames, knownCheckpoints, pickedChange } from '../views/checkpoints.ts'
import { shownVersion, versionAtTime } from '../views/history.ts'
import { pageView } from '../views/pages.ts'
import { waitingRows } from '../views/parts/read-rows.ts'
import { aboutOf } from '../views/picked.ts'
import { entryAtTime, timelineOf } from '../views/replay.ts'
import { bodyHeight } from '../views/screen.ts'
import { event, NONE, type Steps } from './effect.ts'
import { type FormName, openForm } from './forms.ts'
import { pickOn } from './moving.ts'
import { restoreNote } from './past-forms.ts'

/** Steps of the keys that go further than one (count). */
const FAR = 10

const say = (text: string): Steps => [{ type: 'say', text }]

const change = (one: Extract<Event, { type: 'page' }>['change']): Steps => [
  event({ type: 'page', change: one }),
]

const opened = (kind: ReadPage['kind'], id: string, more: Partial<ReadPage> = {}): Steps => [
  event({ type: 'open', page: { kind, id, top: 0, ...more } }),
]

/** The effect of commands about versions and about what happened. */
export const onPastCommand = (
  look: UiFrame,
  name: string,
  values: Readonly<Record<string, string>>,
): Steps => {
  const page = readPage(look.state)
  switch (name) {
    case 'history': {
      const path = aboutOf(look, 'file')
      return path === null ? say('pick a file first') : opened('history', path)
    }
    case 'checkpoints':
      return opened('checkpoints', '')
    case 'replay': {
      const path = aboutOf(look, 'file')
      if (page?.kind === 'history' || page?.kind === 'replay') return fromTheStart(look, page)
      if (path === null) return opened('replay', '', { isPlaying: true })
      return opened('history', path, { at: '0', isPlaying: true })
    }
  }
  if (page?.kind === 'checkpoints' || page?.kind === 'checkpoint') {
    return onCheckpoints(look, page, name, values)
  }
  if (page === null || (page.kind !== 'history' && page.kind !== 'replay')) {
    return say('open a history or a replay first: H in the files, T')
  }
  switch (name) {
    case 'play':
      return page.isPlaying === true ? change({ isPlaying: false }) : playing(look, page)
    case 'faster':
    case 'slower': {
      const speed = (page.speed ?? NORMAL_SPEED) + (name === 'faster' ? 1 : -1)
      return SPEEDS[speed] === undefined ? NONE : change({ speed })
    }
    case 'back-ten':
      return pickOn(look, page, -FAR).map(event)
    case 'on-ten':
      return pickOn(look, page, FAR).map(event)
    case 'restore': {
      const version = page.kind === 'history' ? shownVersion(look, page)?.version : undefined
      if (version === undefined) return say('open the history of a file first: H in the files')
      return question(look, 'restore-version', `${version} ${page.id}`)
    }
    case 'restore-one':
    case 'diff':
      return say('open the checkpoints first: C')
    case 'whole':
      return change({ isWhole: page.isWhole !== true, top: 0 })
    default:
      return seek(look, page, values.to)
  }
}

const question = (look: UiFrame, name: FormName, subject: string): Steps => {
  const form = openForm(name, look.snapshot, subject, subject)
  return [event({ type: 'mode', mode: { kind: 'form', form } })]
}

/** The effect of a command on the list of checkpoints, or on a comparison. */
const onCheckpoints = (
  look: UiFrame,
  page: ReadPage,
  name: string,
  { from, to }: Readonly<Record<string, string>>,
): Steps => {
  if (name === 'diff' && from !== undefined) {
    return opened('checkpoint', to === undefined ? from : `${from} ${to}`)
  }
  const all = knownCheckpoints(look) ?? []
  const isList = page.kind === 'checkpoints'
  const here = isList ? (page.at ?? all[0]?.name) : comparedNames(page.id).from
  if (here === undefined) return say('nobody has made a checkpoint yet; n makes one')
  switch (name) {
    case 'diff': {
      const before = all[all.findIndex((one) => one.name === here) + 1]
      if (before === undefined) return say(`${here} is the first checkpoint`)
      return opened('checkpoint', `${before.name} ${here}`)
    }
    case 'restore': {
      const form = openForm('restore', look.snapshot, here, here)
      const argv = ['restore', `--name=${here}`, '--dry-run']
      return [{ type: 'ask', argv, form, note: restoreNote }]
    }
    case 'restore-one': {
      const file = isList ? null : pickedChange(look, page)
      if (file === null) return say('open a checkpoint and pick a file first')
      return question(look, 'restore-file', `${here} ${file}`)
    }
    default:
      return say('a list does not play; T plays the board')
  }
}

/** At the end it plays from the start. */
const playing = (look: UiFrame, page: ReadPage): Steps => {
  const { items } = pageView(look, page, look.columns, bodyHeight(look))
  const isAtEnd = items !== null && items.at === items.count - 1
  return isAtEnd ? fromTheStart(look, page) : change({ isPlaying: true })
}

const fromTheStart = (look: UiFrame, page: ReadPage): Steps => {
  const { items } = pageView(look, page, look.columns, bodyHeight(look))
  if (items === null || items.count === 0) return NONE
  return change({ at: items.idAt(0), top: 0, isPlaying: true })
}

/** The next frame of the page that plays; nothing while its text is still read. */
export const onTick = (look: UiFrame): Steps => {
  const page = readPage(look.state)
  if (page?.isPlaying !== true) return NONE
  const { items, lines } = pageView(look, page, look.columns, bodyHeight(look))
  if (items === null || lines === waitingRows) return NONE
  const last = items.count - 1
  const index = Math.min(last, items.at + speedOf(page.speed).step)
  return change({ at: items.idAt(index), top: 0, isPlaying: index < last })
}

/** Goes to a version by its number, or to what was there at a time. */
const seek = (look: UiFrame, page: ReadPage, to: string | undefined): Steps => {
  if (to === undefined) {
    const line = lineOf('seek ')
    return [event({ type: 'mode', mode: { kind: 'palette', line, chosen: 0 } })]
  }
  const at = placeOf(look, page, to.trim())
  return at === null
    ? say(`"${to}": nothing is kept there`)
    : change({ at, top: 0, isPlaying: false })
}

const placeOf = (look: UiFrame, page: ReadPage, to: string): string | null => {
  const isNumber = /^\d+$/.test(to)
  if (page.kind === 'history' && isNumber) return to
  const feed = timelineOf(look)
  if (isNumber) return feed[Math.min(Number(to), feed.length) - 1]?.id ?? null
  const time = timeOf(to, look.snapshot.now)
  if (time === null) return null
  if (page.kind === 'replay') return feed[entryAtTime(look, time)]?.id ?? null
  const version = versionAtTime(look, page, time)
  return version === null ? null : String(version)
}

/** Milliseconds since the epoch of a time of day, a date, or an age; null: it is none of them. */
const timeOf = (text: string, now: number): number | null => {
  const [, hours, minutes, seconds = '0'] = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text) ?? []
  if (hours !== undefined) {
    return new Date(now).setHours(Number(hours), Number(minutes), Number(seconds), 999)
  }
  const age = parseSpan(text)
  if (age !== null) return now - age
  const time = parseIso(text)
  return Number.isNaN(time) ? null : time
}
