import { Text } from 'ink'
import { memo } from 'react'
import type { Row, Segment, Tone } from './rows.ts'

/** Cyan, green, magenta and red read on a light ground and on a dark one; yellow, white and blue do not on both. */
const COLOURS: Readonly<Record<Tone, { color?: string; dimColor?: boolean; bold?: boolean }>> = {
  plain: {},
  dim: { dimColor: true },
  strong: { bold: true },
  accent: { color: 'cyan' },
  good: { color: 'green' },
  warn: { color: 'magenta' },
  bad: { color: 'red' },
}

/** Without colour what matters is bold, so that it still stands out. */
const PLAIN: typeof COLOURS = {
  ...COLOURS,
  accent: { bold: true },
  good: {},
  warn: { bold: true },
  bad: { bold: true },
}

const looks = ({ tone = 'plain', picked = false }: Segment, isColoured: boolean) => ({
  ...(picked ? { inverse: true, bold: tone === 'strong' } : (isColoured ? COLOURS : PLAIN)[tone]),
})

const isSame = (a: Row, b: Row): boolean =>
  a === b ||
  (a.length === b.length &&
    a.every((segment, i) => {
      const other = b[i]!
      return (
        segment.text === other.text &&
        segment.tone === other.tone &&
        segment.picked === other.picked
      )
    }))

interface Props {
  row: Row
  coloured: boolean
}

/** One line of the screen; drawn again only when what it shows is another. */
export const RowView = memo(
  ({ row, coloured }: Props) => (
    <Text wrap="truncate">
      {row.length === 0 ? ' ' : null}
      {row.map((segment, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a segment is nothing but its place in the row
        <Text key={i} {...looks(segment, coloured)}>
          {segment.text}
        </Text>
      ))}
    </Text>
  ),
  (a, b) => a.coloured === b.coloured && isSame(a.row, b.row),
)
