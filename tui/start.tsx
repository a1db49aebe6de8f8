import './terminal/polyfill.ts'
import { constants } from 'node:os'
import { render, Text, useApp, useInput } from 'ink'
import { useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { Attached } from '../client/resident/attach.ts'
import { ClawError, ERRORS } from '../protocol/errors.ts'
import { App, type AppProps, type UiEnv } from './app.tsx'
import { LinkPrompt } from './link-prompt.tsx'
import { type Press, pressesOf } from './terminal/press.ts'
import { Terminal } from './terminal/terminal.ts'
import { canAskGround, groundOf, type Theme } from './terminal/theme.ts'
import { harmless } from './text/display.ts'
import { paletteOf } from './ui/palette.ts'

interface RootProps
  extends Omit<AppProps, 'attached' | 'early' | 'onSuspend' | 'onQuit' | 'palette'> {
  theme: Theme
  /** The terminal, whose ground may become known only now. */
  terminal: Pick<Terminal, 'ground' | 'onGround'>
  /** Null: the person is asked for a join link first. */
  opening: Promise<Attached> | null
  /** The workspace, if it is open already. */
  attached: Attached | null
  /** Attaches by a join link; absent: nobody is asked for one. */
  attachBy?: ((link: string) => Promise<Attached>) | undefined
  onFailed: (error: unknown) => void
  onQuit: (why?: string) => void
  /** Stops the program until the shell lets it go on. */
  stop: () => Promise<void>
}

/** Draws the first frame before the workspace is open. */
const Root = (given: RootProps) => {
  const { opening: first, attached: _, attachBy, onFailed, stop, theme, terminal, ...props } = given
  const palette = paletteOf(theme, useSyncExternalStore(terminal.onGround, terminal.ground))
  const [attached, setAttached] = useState(given.attached)
  const { suspendTerminal } = useApp()
  const { onQuit } = props
  const [opening, setOpening] = useState(first)
  const [reason, setReason] = useState<ClawError | null>(null)
  const { current: early } = useRef<Press[]>([])
  useEffect(() => {
    opening?.then(setAttached, (thrown: unknown) => {
      const error = ClawError.from(thrown)
      if (attachBy === undefined || error.code === 'bug') return onFailed(thrown)
      setReason(error)
      setOpening(null)
    })
  }, [opening, attachBy, onFailed])
  const onSuspend = () => void suspendTerminal(stop)
  useInput(
    (input, key) => {
      // The app is drawn a moment before it reads keys; keys typed in between belong to it.
      if (attached !== null) early.push(...pressesOf(input, key))
      else if (input === 'q' || (key.ctrl && input === 'c')) onQuit()
    },
    { isActive: attached === null && opening !== null },
  )
  if (attached !== null) return <App {...{ attached, early, onSuspend, palette, ...props }} />
  if (opening !== null) return <Text>ClawLink: opening … (q quits)</Text>
  return (
    <LinkPrompt
      reason={reason}
      palette={palette}
      onLink={(link) => attachBy !== undefined && setOpening(attachBy(link))}
      onLeave={() => (reason === null ? onQuit() : onFailed(reason))}
    />
  )
}

/** Signals that end the UI; changes are stored first. */
const SIGNALS = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'] as const

export interface StartOptions {
  /** Null: the person is asked for a join link first. */
  opening: Promise<Attached> | null
  /** The workspace, if it is open already: no frame says that it opens. */
  attached?: Attached | null
  /** Attaches by a join link that the person gives; absent: a failure ends the program. */
  attachBy?: (link: string) => Promise<Attached>
  stdin: NodeJS.ReadStream
  stdout: NodeJS.WriteStream
  stderr: NodeJS.WriteStream
  env: UiEnv
  /** Absent: as NO_COLOR says. */
  theme?: Theme
}

/**
 * Runs the UI on a terminal. `done` resolves to the exit code once the terminal is restored and the
 * workspace is closed; it rejects with an error in drawing.
 */
export const startApp = (options: StartOptions): { done: Promise<number> } => {
  const { stdin, stdout, stderr, env } = options
  const plain = env.INK_SCREEN_READER === 'true'
  const hasMouse = !plain && env.CLAWLINK_MOUSE !== 'off'
  const theme = options.theme ?? ((env.NO_COLOR ?? '') === '' ? 'auto' : 'mono')
  const followsGround = theme === 'auto' || theme === 'high-contrast'
  const terminal = new Terminal({
    ...{ stdin, stdout, hasMouse, ground: groundOf(env.COLORFGBG) },
    asksGround: followsGround && !plain && canAskGround(env.TERM),
  })
  let failure: unknown = null
  let opening = options.opening
  const { attachBy } = options
  const attachAgain = (link: string): Promise<Attached> => {
    opening = attachBy!(link)
    opening.catch(() => {}) // the prompt says it
    return opening
  }
  let farewell: string | null = null
  const quit = (why?: string) => {
    farewell = why ?? null
    instance.unmount()
  }
  const onFailed = (error: unknown) => {
    failure = error
    quit()
  }
  terminal.own()
  const instance = render(
    <Root
      {...{ opening, env, onFailed, theme, terminal }}
      attached={options.attached ?? null}
      attachBy={attachBy && attachAgain}
      mice={terminal.mice}
      stop={() => terminal.stop()}
      spare={plain ? 1 : 0}
      onQuit={quit}
      onBell={() => env.CLAWLINK_BELL === 'on' && stdout.write('\u0007')}
    />,
    {
      stdin: terminal.keys as unknown as NodeJS.ReadStream,
      ...{ stdout, stderr, exitOnCtrlC: false, patchConsole: false, interactive: true },
      // Others' changes are drawn at a limited rate; a key is drawn at once.
      maxFps: 120,
      ...{ alternateScreen: !plain, incrementalRendering: !plain, isScreenReaderEnabled: plain },
    },
  )
  terminal.begin(() => quit())
  let ended: NodeJS.Signals | null = null
  const onSignal = (signal: NodeJS.Signals) => {
    ended = signal
    quit()
  }
  for (const signal of SIGNALS) process.once(signal, onSignal)

  const finish = async (): Promise<number> => {
    try {
      await instance.waitUntilExit()
    } finally {
      for (const signal of SIGNALS) process.off(signal, onSignal)
      terminal.close()
    }
    if (failure !== null) {
      const error = ClawError.from(failure)
      const hint = error.hint === '' ? '' : ` — ${error.hint}`
      stderr.write(`error: ${harmless(`${error.message}${hint}`)}\n`)
      return error.exit
    }
    const attached = opening === null ? null : await Promise.race([opening, null]).catch(() => null)
    if (attached === null) opening?.then((late) => late.close()).catch(() => {})
    else await attached.close()
    if (farewell !== null) {
      stderr.write(`${harmless(farewell)}\n`)
      return ERRORS.unreachable.exit
    }
    return ended === null ? 0 : 128 + constants.signals[ended]
  }
  return { done: finish() }
}
