import './terminal/polyfill.ts'
import { Box, useInput, usePaste, useStdout, useWindowSize } from 'ink'
import { useEffect, useState, useSyncExternalStore } from 'react'
import type { Attached } from '../client/resident/attach.ts'
import { Controller } from './control/controller.ts'
import { laterByTimer } from './editor/bursts.ts'
import { Editor } from './editor/editor.tsx'
import { EditorSession } from './editor/session.ts'
import { Input } from './input.ts'
import { topPage } from './model/state.ts'
import { copyTo } from './terminal/clipboard.ts'
import type { Press } from './terminal/press.ts'
import type { Mice } from './terminal/terminal.ts'
import { type Palette, paletteOf } from './ui/palette.ts'
import { RowView } from './ui/row.tsx'
import { bodyHeight, screenRows } from './views/screen.ts'

/** The environment variables that the terminal UI reads. */
export interface UiEnv {
  /** Anything: no colours. */
  NO_COLOR?: string | undefined
  /** The kind of the terminal. */
  TERM?: string | undefined
  /** The terminal's colours of text and ground, as some set them. */
  COLORFGBG?: string | undefined
  /** `true`: linear text for a screen reader. */
  INK_SCREEN_READER?: string | undefined
  /** `off`: the mouse is left to the terminal, for selecting text. */
  CLAWLINK_MOUSE?: string | undefined
  /** `on`: rings for what is for me. */
  CLAWLINK_BELL?: string | undefined
}

const noMice: Mice = () => () => {}

export interface AppProps {
  attached: Attached
  /** The looks of the tones; absent: as NO_COLOR says. */
  palette?: Palette
  /** Keys pressed before the app could listen; the app empties the list. */
  early?: Press[]
  env?: UiEnv
  mice?: Mice
  /** Lines that are left free at the bottom: where they are the terminal's own screen, it scrolls when it is full. */
  spare?: number
  now?: () => number
  onQuit?: (why?: string) => void
  onBell?: () => void
  /** Ctrl-Z: the shell has the terminal for a while. */
  onSuspend?: () => void
}

/** The whole UI on a workspace that is attached. */
export const App = (props: AppProps) => {
  const { attached, early, env = {}, mice = noMice, spare = 0, now = Date.now } = props
  const { onQuit, onBell, onSuspend } = props
  const palette = props.palette ?? paletteOf((env.NO_COLOR ?? '') === '' ? 'auto' : 'mono', null)
  const size = useWindowSize()
  const { stdout } = useStdout()
  const { columns } = size
  const rows = size.rows - spare
  const plain = env.INK_SCREEN_READER === 'true'
  const [desk] = useState(
    () =>
      new Controller(attached, {
        ...{ columns, rows, plain, now },
        quit: (why) => onQuit?.(why),
        suspend: () => onSuspend?.(),
        ring: () => onBell?.(),
        copy: (text) => copyTo(stdout, text),
      }),
  )
  const look = useSyncExternalStore(desk.subscribe, () => desk.look)
  useEffect(() => desk.resize(columns, rows), [desk, columns, rows])
  useEffect(() => () => desk.close(), [desk])

  const page = topPage(look.state)
  const isEditing = page?.kind === 'editor' && look.state.mode.kind === 'browse'
  // While a file is open only the first line is the desk's.
  useEffect(
    () => mice((mouse) => (isEditing && mouse.y > 0 ? undefined : desk.mouse(mouse))),
    [desk, mice, isEditing],
  )
  const [input] = useState(() => {
    const copied = (text: string) => copyTo(stdout, text)
    const leave = desk.leavePage
    return new Input(
      desk,
      ({ path, line }) =>
        new EditorSession({
          attached,
          path,
          line,
          now: Date.now,
          later: laterByTimer,
          leave,
          copied,
        }),
    )
  })
  useEffect(() => () => input.close(), [input])
  useInput((text, key) => input.press(text, key))
  usePaste((text) => input.paste(text))
  useEffect(() => {
    for (const press of early?.splice(0) ?? []) input.give(press)
  }, [input, early])

  const session = input.session()
  const { head, body, foot } = screenRows(look)
  return (
    <Box flexDirection="column" width={look.columns} height={look.rows}>
      <RowView row={head} palette={palette} />
      {body === null && session !== null ? (
        <Editor
          session={session}
          notice={look.state.toasts.at(-1)?.text ?? ''}
          columns={look.columns}
          rows={bodyHeight(look) + 1}
          {...{ palette, mice }}
        />
      ) : (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
        body?.map((row, y) => <RowView key={y} row={row} palette={palette} />)
      )}
      {body === null ? null : <RowView row={foot} palette={palette} />}
    </Box>
  )
}
