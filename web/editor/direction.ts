import { type Extension, Prec, RangeSetBuilder } from '@codemirror/state'
import { Decoration, EditorView, ViewPlugin, type ViewUpdate } from '@codemirror/view'

/** Lines whose first letter is of a script from right to left. */
const RIGHT_TO_LEFT =
  /^[^\p{L}]*[\p{Script=Arabic}\p{Script=Hebrew}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u
/** Characters of a line that are looked at (count). */
const LOOKED_AT = 200

const mark = Decoration.line({ attributes: { dir: 'rtl' } })

const drawn = (view: EditorView) => {
  const builder = new RangeSetBuilder<Decoration>()
  const { doc } = view.state
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = doc.lineAt(at)
      if (RIGHT_TO_LEFT.test(line.text.slice(0, LOOKED_AT))) builder.add(line.from, line.from, mark)
      at = line.to + 1
    }
  }
  return builder.finish()
}

/** Each line has the direction of its first letter. */
export const eachDirection: Extension = [
  EditorView.perLineTextDirection.of(true),
  Prec.lowest(
    ViewPlugin.fromClass(
      class {
        decorations
        constructor(view: EditorView) {
          this.decorations = drawn(view)
        }
        update(update: ViewUpdate): void {
          if (update.docChanged || update.viewportChanged) this.decorations = drawn(update.view)
        }
      },
      { decorations: ({ decorations }) => decorations },
    ),
  ),
]
