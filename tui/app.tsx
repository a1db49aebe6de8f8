import './polyfill.ts'
import { Box, render, Text, useInput, usePaste, useWindowSize } from 'ink'
import { useEffect, useState, useSyncExternalStore } from 'react'
import { ClawError } from '../workspace/errors.ts'
import type { Attached } from '../workspace/link/attach.ts'
import { Desk } from './desk.ts'
import { Editor } from './editor/editor.tsx'
import { KeysOnly, MOUSE_OFF, MOUSE_ON, type Mouse } from './mouse.ts'
import { pressesOf } from './press.ts'
import { bodyHeight, screenRows } from './screen.ts'
import { topPage } from './state.ts'
import { harmless } from './ui/cells.ts'
import { RowView } from './ui/row.tsx'

/** The environment variables that the terminal UI reads. */
export interface Env {
  /** Anything: no colours. */
  NO_COLOR?: string | undefined
  /** `true`: linear text for a screen reader. */
  INK_SCREEN_READER?: string | undefined
  /** `off`: the mouse is left to the terminal, for selecting text. */
  CLAWLINK_MOUSE?: string | undefined
  /** `on`: rings for what is for me. */
  CLAWLINK_BELL?: string | undefined
}

/** Who wants to know what the mouse does; returns what ends it. */
export type Mice = (listener: (mouse: Mouse) => void) => () => void

const noMice: Mice = () => () => {}

interface AppProps {
  attached: Attached
  env?: Env
  mice?: Mice
  /** Lines that are left free at the bottom: where they are the terminal's own screen, it scrolls when it is full. */
  spare?: number
  now?: () => number
  onQuit?: () => void
  onBell?: () => void
}

/** The whole UI on a workspace that is attached. */
export const App = (props: AppProps) => {
  const { attached, env = {}, mice = noMice, spare = 0, now = Date.now, onQuit, onBell } = props
  const size = useWindowSize()
  const { columns } = size
  const rows = size.rows - spare
  const plain = env.INK_SCREEN_READER === 'true'
  const [desk] = useState(
    () =>
      new Desk(attached, {
        ...{ columns, rows, plain, now },
        quit: () => onQuit?.(),
        ring: () => onBell?.(),
      }),
  )
  const look = useSyncExternalStore(desk.subscribe, () => desk.look)
  useEffect(() => desk.resize(columns, rows), [desk, columns, rows])
  useEffect(() => mice((mouse) => desk.mouse(mouse)), [desk, mice])
  useEffect(() => () => desk.close(), [desk])

  const page = topPage(look.state)
  const isEditing = page?.kind === 'editor' && look.state.mode.kind === 'browse'
  useInput(
    (input, key) => {
      for (const press of pressesOf(input, key)) desk.press(press)
    },
    { isActive: !isEditing },
  )
  usePaste((text) => desk.paste(text), { isActive: !isEditing })

  const coloured = (env.NO_COLOR ?? '') === ''
  const { head, body, foot } = screenRows(look)
  return (
    <Box flexDirection="column" width={look.columns} height={look.rows}>
      <RowView row={head} coloured={coloured} />
      {body === null && page?.kind === 'editor' ? (
        <Editor
          key={page.path}
          attached={attached}
          path={page.path}
          columns={look.columns}
          rows={bodyHeight(look)}
          {...{ coloured, mice, onClose: desk.leavePage }}
        />
      ) : (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
        body?.map((row, y) => <RowView key={y} row={row} coloured={coloured} />)
      )}
      <RowView row={foot} coloured={coloured} />
    </Box>
  )
}

interface RootProps extends Omit<AppProps, 'attached'> {
  opening: Promise<Attached>
  onFailed: (error: unknown) => void
}

/** The first frame is there before the workspace is. */
const Root = ({ opening, onFailed, ...props }: RootProps) => {
  const [attached, setAttached] = useState<Attached | null>(null)
  useEffect(() => {
    opening.then(setAttached, onFailed)
  }, [opening, onFailed])
  useInput(
    (input, key) => {
      if (input === 'q' || (key.ctrl && input === 'c')) props.onQuit?.()
    },
    { isActive: attached === null },
  )
  if (attached !== null) return <App attached={attached} {...props} />
  return <Text>ClawLink: connecting … (q leaves)</Text>
}

export interface StartOptions {
  opening: Promise<Attached>
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  env: Env
}

/** Runs the UI on a terminal; `done` has the exit code once the terminal is as it was, and the workspace let go of. */
export const startApp = (options: StartOptions): { done: Promise<number> } => {
  const { opening, stdin, stdout, stderr, env } = options
  const plain = env.INK_SCREEN_READER === 'true'
  const hasMouse = !plain && env.CLAWLINK_MOUSE !== 'off'
  const listeners = new Set<(mouse: Mouse) => void>()
  const keys = new KeysOnly(stdin, (mouse) => {
    for (const listener of listeners) listener(mouse)
  })
  const mice: Mice = (listener) => {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }
  let failure: unknown = null
  const quit = () => instance.unmount()
  const instance = render(
    <Root
      {...{ opening, env, mice }}
      spare={plain ? 1 : 0}
      onQuit={quit}
      onFailed={(error) => {
        failure = error
        quit()
      }}
      onBell={() => env.CLAWLINK_BELL === 'on' && stdout.write('\u0007')}
    />,
    {
      stdin: keys as unknown as NodeJS.ReadStream,
      ...{ stdout, stderr, exitOnCtrlC: false, patchConsole: false, interactive: true },
      ...{ alternateScreen: !plain, incrementalRendering: !plain, isScreenReaderEnabled: plain },
    },
  )
  if (hasMouse) stdout.write(MOUSE_ON)
  const signals = ['SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.once(signal, quit)

  const finish = async (): Promise<number> => {
    await instance.waitUntilExit()
    for (const signal of signals) process.off(signal, quit)
    if (hasMouse) stdout.write(MOUSE_OFF)
    keys.close()
    if (failure !== null) {
      const error = ClawError.from(failure)
      const hint = error.hint === '' ? '' : ` — ${error.hint}`
      stderr.write(`error: ${harmless(`${error.message}${hint}`)}\n`)
      return error.exit
    }
    const attached = await Promise.race([opening, null])
    if (attached === null) opening.then((late) => late.close()).catch(() => {})
    else await attached.close()
    return 0
  }
  return { done: finish() }
}
