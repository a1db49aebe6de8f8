import { type Extension, RangeSet, StateEffect, StateField } from '@codemirror/state'
import { type EditorView, GutterMarker, gutter } from '@codemirror/view'
import { colourOf } from '../state/colour.ts'

/** The author of lines of a file, as the route `files/blame` tells it. */
export interface Blamed {
  from_line: number
  to_line: number
  agent_id: string
  task_id: string | null
  via: string | null
  at: string | null
}

/** Letters of a name in the gutter (count). */
const NAME_LENGTH = 12

class Author extends GutterMarker {
  readonly blamed: Blamed
  readonly #name: string
  readonly #words: string

  constructor(blamed: Blamed, name: string, words: string) {
    super()
    this.blamed = blamed
    this.#name = name
    this.#words = words
  }

  override eq(other: Author): boolean {
    return other.#words === this.#words && other.#name === this.#name
  }

  override toDOM(): HTMLElement {
    const shown = document.createElement('span')
    shown.className = `author ${colourOf(this.blamed.agent_id)}`
    shown.textContent = [...this.#name].slice(0, NAME_LENGTH).join('')
    shown.title = this.#words
    return shown
  }
}

const setAuthors = StateEffect.define<RangeSet<Author>>()
const field = StateField.define<RangeSet<Author>>({
  create: () => RangeSet.empty,
  update: (authors, { changes, effects }) => {
    let found = authors.map(changes)
    for (const effect of effects) if (effect.is(setAuthors)) found = effect.value
    return found
  },
})

/** A gutter with the author of each line; it moves along with edits. `told` hears of the author of the caret's line. */
export const blameGutter = (): Extension => [
  field,
  gutter({ class: 'authors', markers: (view) => view.state.field(field) }),
]

/** Shows these authors. `words`: what a reader is told of one. */
export const showBlame = (
  view: EditorView,
  ranges: readonly Blamed[],
  nameOf: (id: string) => string,
  words: (blamed: Blamed) => string,
): void => {
  const { doc } = view.state
  const marks = ranges.flatMap((blamed) => {
    const marker = new Author(blamed, nameOf(blamed.agent_id), words(blamed))
    const lines = []
    for (let n = blamed.from_line; n <= Math.min(blamed.to_line, doc.lines); n++) {
      lines.push(marker.range(doc.line(n).from))
    }
    return lines
  })
  view.dispatch({ effects: setAuthors.of(RangeSet.of(marks, true)) })
}

/** The author of the line of the caret; null: nobody has told it yet. */
export const blamedAtCaret = (view: EditorView): Blamed | null => {
  const authors = view.state.field(field, false)
  if (authors === undefined) return null
  const { from } = view.state.doc.lineAt(view.state.selection.main.head)
  let found: Blamed | null = null
  authors.between(from, from, (_from, _to, { blamed }) => {
    found = blamed
  })
  return found
}
