import { Text } from 'ink'
import { memo } from 'react'
import { type Palette, styled } from './palette.ts'
import type { Row } from './rows.ts'

const isSame = (a: Row, b: Row): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((segment, i) => {
      const other = b[i]!
      return (
        segment.text === other.text &&
        segment.tone === other.tone &&
        segment.look === other.look &&
        segment.picked === other.picked
      )
    }))

interface Props {
  row: Row
  palette: Palette
}

/** One line of the screen, as one text: a node per segment costs ten times as much. Drawn again only when it changes. */
export const RowView = memo(
  ({ row, palette }: Props) => <Text wrap="truncate">{styled(row, palette) || ' '}</Text>,
  (a, b) => a.palette === b.palette && isSame(a.row, b.row),
)
