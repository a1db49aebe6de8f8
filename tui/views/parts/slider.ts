import { speedOf } from '../../model/reads.ts'
import type { ReadPage } from '../../model/state.ts'
import { type Row, rowWidth, seg } from '../../ui/rows.ts'

/** Cells of a bar at least; with fewer there is none. */
const MIN_BAR = 8

/**
 * The place among `count` items as a bar and in words, and whether `page` plays; null: it never does. `noun`: the word for
 * an item.
 */
export const sliderRow = (
  page: ReadPage | null,
  { count, at }: { count: number; at: number },
  noun: string,
  width: number,
  plain: boolean,
): Row => {
  const { name } = speedOf(page?.speed)
  const isPlaying = page?.isPlaying === true
  const place = `${noun} ${at + 1} of ${count}`
  const state = isPlaying ? `playing at ${name}` : 'paused'
  if (plain) return [seg(page === null ? place : `${place}, ${state}`)]
  const sign = isPlaying ? seg(` ▶ ${name}`, 'good') : seg(` ‖ ${name}`, 'dim')
  const words: Row = [seg(`  ${place} `), ...(page === null ? [] : [sign])]
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
