import { unifiedMergeView } from '@codemirror/merge'
import { EditorState, Text } from '@codemirror/state'
import { EditorView, highlightSpecialChars, lineNumbers } from '@codemirror/view'
import { eachDirection } from './direction.ts'

/** Texts are compared for this long at most, then roughly (milliseconds). */
const DIFF_MS = 500

/** Shows a text with what it changes of another; returns the function that closes it. */
export const openDiff = (
  parent: ShadowRoot,
  before: string,
  after: string,
  label: string,
): (() => void) => {
  const view = new EditorView({
    parent,
    root: parent,
    state: EditorState.create({
      doc: after,
      extensions: [
        EditorState.lineSeparator.of('\n'),
        EditorState.readOnly.of(true),
        EditorView.contentAttributes.of({ 'aria-label': label }),
        eachDirection,
        EditorView.lineWrapping,
        ...[lineNumbers(), highlightSpecialChars()],
        unifiedMergeView({
          original: Text.of(before.split('\n')),
          mergeControls: false,
          gutter: true,
          collapseUnchanged: { margin: 3, minSize: 6 },
          diffConfig: { timeout: DIFF_MS },
        }),
      ],
    }),
  })
  return () => view.destroy()
}
