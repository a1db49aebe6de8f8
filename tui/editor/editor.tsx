import { Box, useCursor, useInput, usePaste } from 'ink'
import { useEffect, useState, useSyncExternalStore } from 'react'
import type { FileKey } from '../../workspace/ids.ts'
import type { Attached } from '../../workspace/link/attach.ts'
import { pressesOf } from '../press.ts'
import type { Mice } from '../terminal.ts'
import { RowView } from '../ui/row.tsx'
import { drawEditor } from './draw.ts'
import { EditorModel } from './model.ts'

/** What the editor is given: the file, the cells it may draw in, and how to go back. All keys are its own. */
export interface EditorProps {
  attached: Attached
  path: FileKey
  /** Its upper edge, from the top of the screen. */
  top: number
  columns: number
  rows: number
  coloured: boolean
  mice: Mice
  /** What came in for this person; '': nothing. */
  notice: string
  /** Milliseconds since the epoch. */
  now: () => number
  onClose: () => void
}

const later = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

/** A shared file, edited with everyone who is in it. */
export const Editor = (props: EditorProps) => {
  const { attached, path, top, columns, rows, coloured, mice, notice, now, onClose } = props
  const [model] = useState(() => new EditorModel(attached, path, { now, later }))
  useSyncExternalStore(model.subscribe, () => model.revision)
  useEffect(() => () => model.close(), [model])
  useInput((input, key) => {
    for (const press of pressesOf(input, key)) if (model.press(press)) onClose()
  })
  usePaste((text) => model.paste(text))
  useEffect(() => mice(({ kind, x, y }) => model.mouse(kind, x, y - top)), [mice, model, top])
  const { setCursorPosition } = useCursor()
  model.resize(columns, rows)
  const drawn = drawEditor(model, notice)
  const { caret } = drawn
  setCursorPosition(caret === null ? undefined : { x: caret.x, y: caret.y + top })
  return (
    <Box flexDirection="column" width={columns} height={rows}>
      {drawn.rows.map((row, y) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
        <RowView key={y} row={row} coloured={coloured} />
      ))}
    </Box>
  )
}
