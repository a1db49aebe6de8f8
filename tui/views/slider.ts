import { speedOf } from '../model/reads.ts'
import type { ReadPage } from '../model/state.ts'
import { type Row, rowWidth, seg } from '../ui/rows.ts'

/** Cells of a bar at least; with fewer there is none. */
const MIN_BAR = 8

/** The place among `count` items as a bar and in words, and whether it plays. `noun`: what an item is. */
export const sliderRow = (
  { isPlaying = false, speed }: ReadPage,
  { count, at }: { count: number; at: number },
  noun: string,
  width: number,
  plain: boolean,
): Row => {
  const { name } = speedOf(speed)
  const place = `${noun} ${at + 1} of ${count}`
  if (plain) return [seg(`${place}, ${isPlaying ? `playing at ${name}` : 'paused'}`)]
  const state = isPlaying ? seg(` ▶ ${name}`, 'good') : seg(` ‖ ${name}`, 'dim')
  const words: Row = [seg(`  ${place} `), state]
  const cells = width - rowWidth(words)
  if (cells < MIN_BAR) return words
  const before = count <= 1 ? 0 : Math.round((at / (count - 1)) * (cells - 1))
  return [
    seg('━'.repeat(before), 'accent'),
    seg('●', 'strong'),
    seg('─'.repeat(cells - before - 1), 'dim'),
    ...words,
  ]
}
