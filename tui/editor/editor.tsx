import { Box, Text, useCursor, useStdout } from 'ink'
import { useEffect, useMemo, useSyncExternalStore } from 'react'
import type { Look } from '../highlight/look.ts'
import type { Mouse } from '../terminal/mouse.ts'
import { COLOURS, isColoured, type Palette } from '../ui/palette.ts'
import { RowView } from '../ui/row.tsx'
import { fitRow, type Row, said } from '../ui/rows.ts'
import { caretCell, drawRows, fitInto, gutterOf, type Span } from './draw.ts'
import type { EditorSession } from './session.ts'
import { keyRows, statusRow } from './status.ts'
import { clickOn, scroll } from './viewport.ts'

/** The open file, and the cells that it may be drawn in. */
export interface EditorProps {
  session: EditorSession
  columns: number
  rows: number
  palette: Palette
  /** Tells what the mouse does, on cells of the whole screen; the editor begins `top` rows down. */
  mice?: (listener: (mouse: Mouse) => void) => () => void
  top?: number
  /** A notice for this person; '' for none. */
  notice?: string
}

const propsOf = ({ colour, word, bold, dim, underline, inverse }: Look, palette: Palette) => ({
  ...(colour !== undefined && { color: COLOURS[colour]! }),
  ...(word !== undefined && { color: palette.words[word] }),
  ...(bold && { bold }),
  // A theme may have nothing dim.
  ...(dim && palette.dim !== '' && { dimColor: dim }),
  ...(underline && { underline }),
  ...(inverse && { inverse }),
})

/** One row of the text. */
const SpansView = ({ spans, palette }: { spans: readonly Span[]; palette: Palette }) => (
  <Text wrap="truncate">
    {spans.length === 0 ? ' ' : null}
    {spans.map(({ text, look }, i) => (
      // biome-ignore lint/suspicious/noArrayIndexKey: a span is nothing but its place in the row
      <Text key={i} {...propsOf(look, palette)}>
        {text}
      </Text>
    ))}
  </Text>
)

/** A shared file, open. */
export const Editor = (props: EditorProps) => {
  const { session, columns, rows, mice, top = 1, notice = '' } = props
  const { path } = session
  const { palette } = props
  const coloured = isColoured(palette)
  const { stdout } = useStdout()
  const { setCursorPosition } = useCursor()
  session.hasCursor = 'isTTY' in stdout && stdout.isTTY === true
  const revision = useSyncExternalStore(session.subscribe, () => session.revision)
  useEffect(
    () =>
      mice?.(({ kind, x, y }) => {
        if (kind !== 'click') scroll(session, kind)
        else if (y >= top && y < top + session.height) {
          clickOn(session, x - gutterOf(session, session.columns), y - top)
        }
      }),
    [mice, session, top],
  )

  const height = Math.max(1, rows - 1)
  // biome-ignore lint/correctness/useExhaustiveDependencies: the revision is what says that the session has changed
  const frame = useMemo((): { said: Row[] | null; spans: Span[][]; status: Row } => {
    session.columns = columns
    fitInto(session, columns, height)
    const status = statusRow(session, columns, notice)
    const { kind } = session.state
    if (session.isShowingKeys) return { said: keyRows(columns, height), spans: [], status }
    if (kind === 'binary' || kind === 'none') {
      const words = [said(`${path}: ${session.refusal}`)]
      return { said: [fitRow(words, columns)], spans: [], status }
    }
    return { said: null, spans: drawRows(session, columns, coloured), status }
  }, [session, revision, columns, height, coloured, path, notice])

  // Input methods write where the terminal's cursor is.
  const isTyping = session.hasCursor && session.prompt.open === null && frame.said === null
  const caret = isTyping ? caretCell(session, columns) : null
  setCursorPosition(caret === null ? undefined : { x: caret.x, y: caret.y + top })

  return (
    <Box flexDirection="column" width={columns} height={rows}>
      <Box flexDirection="column" height={height}>
        {frame.said?.map((row, y) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
          <RowView key={y} row={row} palette={palette} />
        ))}
        {frame.spans.map((spans, y) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
          <SpansView key={y} {...{ spans, palette }} />
        ))}
      </Box>
      <RowView row={frame.status} palette={palette} />
    </Box>
  )
}
