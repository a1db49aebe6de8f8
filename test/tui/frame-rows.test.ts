import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  styledCharsFromTokens,
  tokenize,
} from '../../node_modules/@alcalzone/ansi-tokenize/build/index.js'
import Output from '../../node_modules/ink/build/output.js'
import { frameRows } from '../../tui/terminal/frame-rows.ts'
import { paletteOf, styled } from '../../tui/ui/palette.ts'
import { type Row, seg } from '../../tui/ui/rows.ts'

const [WIDTH, HEIGHT] = [40, 6]
const palette = paletteOf('dark', 'dark')

interface Write {
  x: number
  y: number
  text: string
}

const frameOf = (writes: readonly Write[]): Output => {
  const frame = new Output({ width: WIDTH, height: HEIGHT })
  for (const { x, y, text } of writes) {
    frame.write(x, y, text, { transformers: [(line: string) => line.replaceAll('b', 'B')] })
  }
  return frame
}

const rowsOf = (frame: Output) => frameRows(frame as unknown as Parameters<typeof frameRows>[0])

/** Each character with its styles, without blanks at the end that show nothing. */
const cellsOf = (output: string) =>
  output.split('\n').map((line) => {
    const cells = styledCharsFromTokens(tokenize(line)).map(({ value, styles }) => [
      value,
      ...styles.map(({ code }) => code).sort(),
    ])
    while (cells.at(-1)?.join() === ' ') cells.pop()
    return cells
  })

const text = fc.stringMatching(/^[ab│●日🚀 ]{0,8}$/u)
const tone = fc.constantFrom('plain', 'dim', 'strong', 'accent', 'bad')
const row: fc.Arbitrary<Row> = fc.array(
  fc
    .record({ text, tone, picked: fc.boolean() })
    .map((one) => ({ ...seg(one.text, one.tone as 'plain'), picked: one.picked })),
  { maxLength: 3 },
)

it('[TUI-1] a frame of rows is the one that Ink makes of cells', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: HEIGHT }), (rows) => {
      const writes = rows.map((one, y) => ({ x: 0, y, text: styled(one, palette) }))
      const fast = rowsOf(frameOf(writes))!
      const slow = frameOf(writes).get()
      expect(fast.height).toBe(slow.height)
      expect(cellsOf(fast.output)).toEqual(cellsOf(slow.output))
    }),
  )
})

it('[TUI-1] any other frame is left to Ink', () => {
  const others: Write[][] = [
    [{ x: 1, y: 0, text: 'a' }],
    [{ x: 0, y: HEIGHT, text: 'a' }],
    [{ x: 0, y: 0, text: 'a\nb' }],
    [{ x: 0, y: 0, text: 'a\u200bb' }],
    [0, 0].map((y) => ({ x: 0, y, text: 'a' })),
  ]
  for (const writes of others) expect(rowsOf(frameOf(writes))).toBe(null)
  const clipped = frameOf([])
  clipped.clip({ x1: 0, x2: 1, y1: 0, y2: 1 })
  expect(rowsOf(clipped)).toBe(null)
  expect(rowsOf(frameOf([]))).toEqual({ output: '\n'.repeat(HEIGHT - 1), height: HEIGHT })
})
