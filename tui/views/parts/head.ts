import { waitingCount } from '../../model/for-me.ts'
import type { UiFrame } from '../../model/frame.ts'
import { type Event, VIEWS, type View } from '../../model/state.ts'
import { clickable, type Row, rowWidth, said, seg, spread } from '../../ui/rows.ts'

export const TITLES: Readonly<Record<View, string>> = {
  me: 'For me',
  agents: 'Agents',
  tasks: 'Tasks',
  feed: 'Feed',
  files: 'Files',
}

/** From this width on (columns) each tab has the number of its things. */
const COUNTED_COLUMNS = 110
/** Cells beside the tabs that say who and where this is, and whether it is connected. */
const PLACE_CELLS = 26

/** The first line: the tabs, then who and where this person is, and the contact with the server. */
export const headRow = (look: UiFrame): Row => {
  const { snapshot, columns, plain } = look
  const whole = tabsOf(look, false)
  const isShort = !plain && rowWidth(whole) + PLACE_CELLS > columns
  const tabs = isShort ? tabsOf(look, true) : whole
  const waiting = waitingCount(snapshot)
  const words = plain ? `${waiting} for you ` : `✉ ${waiting} `
  const event: Event = { type: 'view', view: 'me' }
  const mail = waiting === 0 ? [] : clickable([seg(words, 'warn')], event)
  const { held } = look.state
  const focus =
    held === null ? [] : [seg(plain ? `focus, ${held} held ` : `[focus ${held}] `, 'accent')]
  const room = columns - rowWidth(tabs) - 1 - rowWidth(mail) - rowWidth(focus)
  return spread(tabs, [...focus, ...mail, ...placeIn(look, room)], columns)
}

/** The tabs; `isShort`: those of other views by their number alone. */
const tabsOf = (look: UiFrame, isShort: boolean): Row => {
  const { snapshot, state, columns, plain } = look
  const counts: Readonly<Record<View, number>> = {
    me: waitingCount(snapshot),
    agents: snapshot.agents.length,
    tasks: snapshot.tasks.length,
    feed: 0,
    files: snapshot.files.length,
  }
  return VIEWS.flatMap((view, i): Row => {
    const isHere = view === state.view
    const count =
      view === 'me' || counts[view] === 0 || columns < COUNTED_COLUMNS ? '' : ` ${counts[view]}`
    const [begin, end] = !isHere ? [' ', ' '] : plain ? [' ', ' (here) '] : ['[', ']']
    const event: Event = { type: 'view', view }
    const marked = isNewIn(look, view) ? [seg('•', 'warn')] : []
    const name = isShort && !isHere ? String(i) : `${i} ${TITLES[view]}`
    const title = seg(`${begin}${name}`, isHere ? 'strong' : 'plain')
    const rest = [seg(count, 'dim'), ...marked, seg(end, isHere ? 'strong' : 'plain')]
    return clickable([title, ...rest], event)
  })
}

/** True if this view has unseen items. */
const isNewIn = ({ snapshot, state }: UiFrame, view: View): boolean =>
  view === 'feed' && state.view !== 'feed' && hasNews(snapshot, state.seenAt)

/** True if others wrote or acted after this time. */
const hasNews = ({ feed, me }: UiFrame['snapshot'], seenAt: number): boolean => {
  for (let i = feed.length - 1; i >= 0 && feed[i]!.at > seenAt; i--) {
    if (feed[i]!.from !== me) return true
  }
  return false
}

/** Person, workspace, server and contact, as much of it as fits into `room` cells; the contact always. */
const placeIn = (look: UiFrame, room: number): Row => {
  const { name, workspace, server } = look.snapshot.where
  const who = look.snapshot.me === null ? 'watching' : name
  const host = server.replace(/^https?:\/\//, '')
  const [long, short] = contactOf(look)
  const place = (text: string): Row => [said(`${text} `, 'dim')]
  const whole = place(`${who} · ${workspace}@${host}`)
  for (const row of [
    [...whole, long],
    [...place(`${who} · ${workspace}`), long],
    [...whole, short],
    [...place(`${who} · ${workspace}`), short],
    [...place(workspace), short],
  ]) {
    if (rowWidth(row) <= room) return row
  }
  return [short]
}

/** The contact in full, and in few cells. */
const contactOf = ({ snapshot, plain }: UiFrame): [long: Row[number], short: Row[number]] => {
  const { connected, since, why, code } = snapshot.contact
  if (connected) {
    return plain
      ? [seg('connected', 'good'), seg('connected', 'good')]
      : [seg('● connected', 'good'), seg('●', 'good')]
  }
  if (code === 'revoked') {
    const mark = plain ? '' : '✗ '
    return [seg(`${mark}revoked: ask for a new join link`, 'bad'), seg(`${mark}revoked`, 'bad')]
  }
  const seconds = Math.max(0, Math.round((snapshot.now - since) / 1000))
  const time = seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`
  const short = said(`${plain ? '' : '○ '}offline ${time}`, 'bad')
  return [why === null ? short : said(`${short.text}: ${why}`, 'bad'), short]
}
