import type { UiFrame } from '../model/frame.ts'
import { ORDERS } from '../model/orders.ts'
import { topPage } from '../model/state.ts'
import { EMPTY } from '../terminal/line.ts'
import { pickedForMe } from '../views/for-me.ts'
import { SPLIT_COLUMNS } from '../views/parts/split.ts'
import { pickedId } from '../views/picked.ts'
import { event, type Steps } from './effect.ts'
import { moveEvents } from './moving.ts'

type Browsing = 'mark' | 'find' | 'preview' | 'sort' | 'focus' | 'copy' | 'copy-id'

/** The effect of commands about lists and the screen, which change nothing for others. */
export const onBrowsingCommand = (look: UiFrame, name: Browsing): Steps => {
  switch (name) {
    case 'mark':
      return mark(look)
    case 'find':
      return [event({ type: 'mode', mode: { kind: 'finder', line: EMPTY, chosen: 0 } })]
    case 'preview':
      return preview(look)
    case 'sort':
      return sort(look)
    case 'focus':
      return focus(look)
    case 'copy':
    case 'copy-id': {
      const text = copiedOf(look, name === 'copy-id')
      if (text === null) return [{ type: 'say', text: 'there is nothing here to copy' }]
      return [{ type: 'copy', text }]
    }
  }
}

/** Marks what is picked, or takes the mark from it, and goes on to the next line. */
const mark = (look: UiFrame): Steps => {
  const id = topPage(look.state) === null ? pickedId(look) : null
  if (id === null || id.endsWith('/'))
    return [{ type: 'say', text: 'there is nothing here to mark' }]
  return [event({ type: 'mark', id }), ...moveEvents(look, 'down').map(event)]
}

const preview = (look: UiFrame): Steps => {
  const change = event({ type: 'preview' })
  if (look.columns >= SPLIT_COLUMNS) return [change]
  return [
    { type: 'say', text: `a preview takes ${SPLIT_COLUMNS} columns; enter opens what is picked` },
  ]
}

/** The next order of the list. */
const sort = ({ state }: UiFrame): Steps => {
  const orders: readonly string[] = ORDERS[state.view]
  if (orders.length === 1) return [{ type: 'say', text: 'this list has one order' }]
  const order = (state.orders[state.view] + 1) % orders.length
  return [event({ type: 'order', order }), { type: 'tell', text: `by ${orders[order]}` }]
}

/** No toasts of messages for a while, or again. */
const focus = ({ state }: UiFrame): Steps => {
  const { held } = state
  const text =
    held === null
      ? 'focus: messages are not shown, F shows them again'
      : `messages are shown again; ${held} came meanwhile${held === 0 ? '' : ', 0 has what waits'}`
  return [event({ type: 'focus' }), { type: 'tell', text }]
}

/** The text of what is picked or open, or its id; null: there is nothing. */
const copiedOf = (look: UiFrame, isId: boolean): string | null => {
  const { taskById, names, feed } = look.snapshot
  const page = topPage(look.state)
  const item = look.state.view === 'me' && page === null ? pickedForMe(look) : null
  const id =
    page === null ? (item?.about ?? pickedId(look)) : page.kind === 'editor' ? page.path : page.id
  if (id === null || id === '') return null
  if (isId) return id
  const task = taskById.get(id)
  if (task !== undefined) return task.message === '' ? task.task : `${task.task}\n\n${task.message}`
  return names.get(id) ?? feed.findLast((entry) => entry.id === id)?.text ?? item?.text ?? id
}
