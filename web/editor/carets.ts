import { type Extension, RangeSetBuilder } from '@codemirror/state'
import {
  Decoration,
  type EditorView,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from '@codemirror/view'
import type { Other } from '../../tui/editor/others.ts'
import { colourOf } from '../state/colour.ts'

/** Another one's caret with a name. It has classes and no style attribute, which the page's policy forbids. */
class Caret extends WidgetType {
  readonly #name: string
  readonly #colour: string

  constructor(name: string, colour: string) {
    super()
    this.#name = name
    this.#colour = colour
  }

  override eq(other: Caret): boolean {
    return other.#name === this.#name && other.#colour === this.#colour
  }

  toDOM(): HTMLElement {
    const caret = document.createElement('span')
    caret.className = `caret ${this.#colour}`
    const label = document.createElement('span')
    label.className = 'caret-name'
    label.textContent = this.#name
    caret.append('\u2060', label, '\u2060')
    return caret
  }
}

/** Shows the carets and selections of others. `others`: theirs now; `follow` calls back when they may have moved. */
export const carets = (
  others: () => readonly Other[],
  follow: (changed: () => void) => () => void,
): Extension =>
  ViewPlugin.fromClass(
    class {
      decorations = Decoration.none
      readonly #end: () => void

      constructor(view: EditorView) {
        this.#draw(view)
        // Changes are told in the midst of updates, too: they are drawn with the next frame.
        let frame: number | null = null
        const end = follow(() => {
          frame ??= requestAnimationFrame(() => {
            frame = null
            view.dispatch({})
          })
        })
        this.#end = () => {
          if (frame !== null) cancelAnimationFrame(frame)
          end()
        }
      }

      update({ view }: ViewUpdate): void {
        this.#draw(view)
      }

      destroy(): void {
        this.#end()
      }

      #draw(view: EditorView): void {
        const { length } = view.state.doc
        const marks: { from: number; to: number; mark: Decoration }[] = []
        for (const { id, name, anchor, head } of others()) {
          const [from, to] = [
            Math.min(anchor, head, length),
            Math.min(Math.max(anchor, head), length),
          ]
          const colour = colourOf(id)
          if (from < to) {
            marks.push({ from, to, mark: Decoration.mark({ class: `selected ${colour}` }) })
          }
          const widget = new Caret(name, colour)
          const at = Math.min(head, length)
          marks.push({ from: at, to: at, mark: Decoration.widget({ widget, side: 1 }) })
        }
        marks.sort((a, b) => a.from - b.from || a.mark.startSide - b.mark.startSide)
        const builder = new RangeSetBuilder<Decoration>()
        for (const { from, to, mark } of marks) builder.add(from, to, mark)
        this.decorations = builder.finish()
      }
    },
    { decorations: ({ decorations }) => decorations },
  )
