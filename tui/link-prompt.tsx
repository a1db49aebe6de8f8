import { Box, useInput, usePaste, useWindowSize } from 'ink'
import { useRef, useState } from 'react'
import type { ClawError } from '../protocol/errors.ts'
import { redacted } from '../protocol/roles.ts'
import { editOf } from './control/line-keys.ts'
import { EMPTY, editLine, type Line } from './terminal/line.ts'
import { pressesOf } from './terminal/press.ts'
import type { Palette } from './ui/palette.ts'
import { RowView } from './ui/row.tsx'
import { fitRow, type Row, seg } from './ui/rows.ts'
import { typedRow } from './views/overlays.ts'
import { paragraph } from './views/parts/page.ts'

interface Props {
  /** Why the last attempt failed; null: there was none. */
  reason: ClawError | null
  palette: Palette
  onLink: (link: string) => void
  onLeave: () => void
}

/** Asks for a join link, which so is in no list of processes; says first what keeps this person from joining. */
export const LinkPrompt = ({ reason, palette, onLink, onLeave }: Props) => {
  const { columns } = useWindowSize()
  const [line, setLine] = useState<Line>(EMPTY)
  // Keys of one chunk come before the next drawing.
  const current = useRef(line)
  const change = (next: Line) => {
    current.current = next
    setLine(next)
  }
  const insert = (text: string) =>
    change(editLine(current.current, { edit: 'insert', text: text.replace(/\s+/g, '') }))
  useInput((input, key) => {
    for (const press of pressesOf(input, key)) {
      if (press.name === 'esc' || press.name === 'ctrl-c') return onLeave()
      if (press.name === 'enter') {
        if (current.current.text !== '') onLink(current.current.text)
        return
      }
      const edit = editOf(press)
      if (edit?.edit === 'insert') insert(edit.text)
      else if (edit !== null) change(editLine(current.current, edit))
    }
  })
  usePaste(insert)
  const rows: Row[] = [
    [seg('Join a workspace', 'strong')],
    [],
    ...(reason === null
      ? []
      : [
          ...paragraph(reason.message, columns, 'bad'),
          ...(reason.hint === '' ? [] : paragraph(reason.hint, columns, 'dim')),
          [],
        ]),
    ...paragraph(
      'Paste the join link that somebody gave you. An operator makes one with: clawlink-sync invite',
      columns,
    ),
    [],
    linkRow(line, columns),
    [],
    [seg('enter join  esc leave', 'dim')],
  ]
  return (
    <Box flexDirection="column">
      {rows.map((row, y) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a row is its place on the screen
        <RowView key={y} row={fitRow(row, columns)} palette={palette} />
      ))}
    </Box>
  )
}

/** The secret in the link is not shown. */
const linkRow = (line: Line, width: number): Row => {
  const shown = redacted(line.text)
  const at = shown === line.text ? line.at : shown.length
  return typedRow([seg('Join link  ', 'dim')], { text: shown, at }, width)
}
