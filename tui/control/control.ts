import { commandFor, commandNamed } from '../model/commands.ts'
import type { UiFrame } from '../model/frame.ts'
import { BROWSE, type Event } from '../model/state.ts'
import { EMPTY } from '../terminal/line.ts'
import type { Mouse } from '../terminal/mouse.ts'
import type { Press } from '../terminal/press.ts'
import { clickAt } from '../ui/rows.ts'
import { placeOf } from '../views/picked.ts'
import { bodyHeight, screenRows } from '../views/screen.ts'
import { onCommand, seen } from './doing.ts'
import { event, NONE, type Steps } from './effect.ts'
import { moveEvents } from './moving.ts'
import {
  onFilterPress,
  onFinderPress,
  onFormPress,
  onHelpSearch,
  onPalettePress,
  paletteWith,
} from './typing.ts'

/** The effect of a key, by the current mode. */
export const onPress = (look: UiFrame, press: Press): Steps => {
  const { mode } = look.state
  if (press.name === 'ctrl-c') return [{ type: 'quit' }]
  switch (mode.kind) {
    case 'browse': {
      const command = commandFor(press.name, placeOf(look))
      return command === null ? NONE : onCommand(look, command, {})
    }
    case 'help': {
      if (mode.line !== null) return onHelpSearch(look, press)
      if (press.name === '/')
        return [event({ type: 'mode', mode: { ...mode, line: EMPTY, top: 0 } })]
      if (['esc', 'backspace', 'q', '?', 'f1', 'enter'].includes(press.name)) {
        return [event({ type: 'mode', mode: BROWSE })]
      }
      const command = commandFor(press.name, placeOf(look))
      return command === null ? NONE : moveEvents(look, command.name).map(event)
    }
    case 'connect':
      return ['esc', 'q'].includes(press.name) ? [{ type: 'quit' }] : NONE
    case 'filter':
      return onFilterPress(look, press, mode.before)
    case 'finder':
      return onFinderPress(look, press, mode)
    case 'palette':
      return onPalettePress(look, press, mode)
    case 'form':
      return onFormPress(look, press, mode.form)
  }
}

/** Pasted text as one text; only a field of several lines keeps line ends. */
export const onPaste = ({ state }: UiFrame, text: string): Steps => {
  const { mode } = state
  if (!['filter', 'palette', 'form', 'finder', 'help'].includes(mode.kind)) return NONE
  const kind = mode.kind === 'form' ? mode.form.fields[mode.form.at]?.kind : 'line'
  if (kind === 'choice') return NONE
  const lines = text.replace(/\r\n?/g, '\n')
  const pasted = kind === 'text' ? lines : lines.replaceAll('\n', ' ')
  return [event({ type: 'edit', edit: { edit: 'insert', text: pasted } })]
}

/** Lines that a notch of the wheel moves. */
const WHEEL_LINES = 3

/** A click does what is said where it hits; the wheel moves. */
export const onMouse = (look: UiFrame, { kind, x, y }: Mouse): Steps => {
  if (look.state.mode.kind === 'connect') return NONE
  const isForm = look.state.mode.kind === 'form'
  if (kind !== 'click') return isForm ? NONE : moveEvents(look, kind, WHEEL_LINES).map(event)
  const { head, body, foot } = screenRows(look)
  const row = y === 0 ? head : y === bodyHeight(look) + 1 ? foot : body?.[y - 1]
  const hit = row === undefined ? null : clickAt(row, x)
  // A click beside a form keeps the text typed in it.
  if (hit === null || (isForm && hit.type !== 'field' && hit.type !== 'toast-gone')) return NONE
  return onEvent(look, hit)
}

const onEvent = (look: UiFrame, hit: Event): Steps => {
  if (hit.type !== 'do') return [event(hit), ...seen(look, hit)]
  if (hit.command === 'complete') {
    return [event({ type: 'mode', mode: paletteWith(hit.args ?? '') })]
  }
  const command = commandNamed(hit.command)
  return command === null ? NONE : onCommand(look, command, {})
}
