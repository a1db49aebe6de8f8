import { graphemeAt } from '../text/cells.ts'
import { wrapRows } from '../text/wrap.ts'

/**
 * A line, or a part of a very long one: then `ending` is empty, as it is at the end of the text. Pieces are never
 * changed, so rows once wrapped stay right.
 */
export interface Piece {
  readonly text: string
  readonly ending: '' | '\n' | '\r\n'
  wrapped: { width: number; starts: readonly number[] } | null
}

/** A piece and where it is. */
export interface Place {
  block: number
  index: number
  piece: Piece
  /** Offset of its beginning in the text. */
  start: number
  /** 0-based number of its line. */
  line: number
  /** The line begins with it. */
  isFirst: boolean
}

interface Block {
  pieces: Piece[]
  length: number
  /** Line ends in it. */
  ends: number
}

/** Units of a piece: an edit lays out one piece anew, so this bounds its cost also in a file of a single line. */
export const MAX_PIECE = 2048
/** A shorter rest of a long line is joined to what is before it. */
const MIN_PIECE = 256
/** Pieces of a block: finding a place looks at each block, and then at the pieces of one. */
const BLOCK_PIECES = 512

const sizeOf = ({ text, ending }: Piece): number => text.length + ending.length

const blockOf = (pieces: Piece[]): Block => {
  const block: Block = { pieces, length: 0, ends: 0 }
  for (const piece of pieces) {
    block.length += sizeOf(piece)
    if (piece.ending !== '') block.ends++
  }
  return block
}

/** The offset at which to split a long line: never within a grapheme. */
const cutAt = (text: string, from: number): number => {
  const at = from + MAX_PIECE / 2
  const base = Math.max(from, at - 64)
  const { from: cut } = graphemeAt(text.slice(base, at + 64), at - base)
  return base + cut > from ? base + cut : at
}

const piecesOf = (text: string, isEnd: boolean): Piece[] => {
  const pieces: Piece[] = []
  const add = (line: string, ending: Piece['ending']): void => {
    let from = 0
    if (line.length > MAX_PIECE) {
      while (line.length - from > MAX_PIECE) {
        const cut = cutAt(line, from)
        pieces.push({ text: line.slice(from, cut), ending: '', wrapped: null })
        from = cut
      }
    }
    pieces.push({ text: from === 0 ? line : line.slice(from), ending, wrapped: null })
  }
  let from = 0
  for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', from)) {
    const hasReturn = end > from && text[end - 1] === '\r'
    add(text.slice(from, hasReturn ? end - 1 : end), hasReturn ? '\r\n' : '\n')
    from = end + 1
  }
  if (isEnd || from < text.length) add(text.slice(from), '')
  return pieces
}

/** A text by lines, kept by its changes: a change costs about the square root of the number of lines. */
export class Lines {
  #blocks: Block[] = []
  /** Units of text laid out since the beginning: what drawing has cost. */
  laidOut = 0

  constructor(text: string) {
    this.#blocks = this.#parted(piecesOf(text, true))
  }

  get length(): number {
    return this.#blocks.reduce((sum, { length }) => sum + length, 0)
  }

  get count(): number {
    return this.#blocks.reduce((sum, { ends }) => sum + ends, 1)
  }

  /** The place of the piece that holds an offset; at the border of two the second. */
  at(offset: number): Place {
    let [start, line] = [0, 0]
    let block = 0
    while (block < this.#blocks.length - 1 && start + this.#blocks[block]!.length <= offset) {
      start += this.#blocks[block]!.length
      line += this.#blocks[block]!.ends
      block++
    }
    const { pieces } = this.#blocks[block]!
    let index = 0
    while (index < pieces.length - 1 && start + sizeOf(pieces[index]!) <= offset) {
      start += sizeOf(pieces[index]!)
      if (pieces[index]!.ending !== '') line++
      index++
    }
    return this.#place(block, index, start, line)
  }

  next(place: Place): Place | null {
    const { start, line, piece } = place
    const inBlock = place.index + 1 < this.#blocks[place.block]!.pieces.length
    if (!inBlock && place.block + 1 >= this.#blocks.length) return null
    const [block, index] = inBlock ? [place.block, place.index + 1] : [place.block + 1, 0]
    return this.#place(block, index, start + sizeOf(piece), line + (piece.ending === '' ? 0 : 1))
  }

  previous(place: Place): Place | null {
    const before = this.#before(place.block, place.index)
    if (before === null) return null
    const piece = this.#blocks[before.block]!.pieces[before.index]!
    const line = place.line - (piece.ending === '' ? 0 : 1)
    return this.#place(before.block, before.index, place.start - sizeOf(piece), line)
  }

  /** The position at which a line (0-based) begins; the last line's if there are fewer lines. */
  line(number: number): Place {
    const wanted = Math.max(0, Math.min(number, this.count - 1))
    let [start, line, block] = [0, 0, 0]
    while (block < this.#blocks.length - 1 && line + this.#blocks[block]!.ends < wanted) {
      start += this.#blocks[block]!.length
      line += this.#blocks[block]!.ends
      block++
    }
    let place: Place = this.#place(block, 0, start, line)
    while (place.line < wanted) {
      const next = this.next(place)
      if (next === null) break
      place = next
    }
    return place
  }

  /** Offset at which the text of a line ends. */
  lineEnd(place: Place): number {
    let last = place
    while (last.piece.ending === '') {
      const next = this.next(last)
      if (next === null) break
      last = next
    }
    return last.start + last.piece.text.length
  }

  slice(from: number, to: number): string {
    let place: Place | null = this.at(from)
    let text = ''
    while (place !== null && place.start < to) {
      const whole = place.piece.text + place.piece.ending
      text += whole.slice(Math.max(0, from - place.start), to - place.start)
      place = this.next(place)
    }
    return text
  }

  /** The offsets, within the piece, at which its rows begin. */
  rows(piece: Piece, width: number): readonly number[] {
    if (piece.wrapped?.width !== width) {
      this.laidOut += piece.text.length
      piece.wrapped = { width, starts: wrapRows(piece.text, width) }
    }
    return piece.wrapped.starts
  }

  replace(offset: number, remove: number, insert: string): void {
    let first = this.at(offset)
    const last = remove === 0 ? first : this.at(offset + remove)
    const after = last.piece.text + last.piece.ending
    const rest = after.slice(offset + remove - last.start)
    let text =
      (first.piece.text + first.piece.ending).slice(0, offset - first.start) + insert + rest
    const before = first.isFirst || text.length >= MIN_PIECE ? null : this.previous(first)
    if (before !== null) {
      text = before.piece.text + text
      first = before
    }
    const isEnd = this.next(last) === null
    const pieces = this.#blocks[first.block]!.pieces.slice(0, first.index)
    for (const piece of piecesOf(text, isEnd)) pieces.push(piece)
    for (const piece of this.#blocks[last.block]!.pieces.slice(last.index + 1)) pieces.push(piece)
    const blocks = this.#parted(pieces)
    this.#blocks.splice(first.block, last.block - first.block + 1, ...blocks)
    if (this.#blocks.length === 0) this.#blocks = this.#parted(piecesOf('', true))
  }

  #parted(pieces: Piece[]): Block[] {
    if (pieces.length === 0) return []
    if (pieces.length <= 2 * BLOCK_PIECES) return [blockOf(pieces)]
    const blocks: Block[] = []
    for (let i = 0; i < pieces.length; i += BLOCK_PIECES) {
      blocks.push(blockOf(pieces.slice(i, i + BLOCK_PIECES)))
    }
    return blocks
  }

  #before(block: number, index: number): { block: number; index: number } | null {
    if (index > 0) return { block, index: index - 1 }
    if (block === 0) return null
    return { block: block - 1, index: this.#blocks[block - 1]!.pieces.length - 1 }
  }

  #place(block: number, index: number, start: number, line: number): Place {
    const piece = this.#blocks[block]!.pieces[index]!
    const before = this.#before(block, index)
    const isFirst =
      before === null || this.#blocks[before.block]!.pieces[before.index]!.ending !== ''
    return { block, index, piece, start, line, isFirst }
  }
}
