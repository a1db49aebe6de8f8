import {
  highlightSelectionMatches,
  openSearchPanel,
  search,
  searchKeymap,
  searchPanelOpen,
} from '@codemirror/search'
import { Prec, StateEffect } from '@codemirror/state'
import { type EditorView, keymap } from '@codemirror/view'

const ready = new WeakSet<EditorView>()

/** Opens the panel to find and replace in an editor; from then on its keys are there, too. */
export const openSearch = (view: EditorView): void => {
  if (!ready.has(view)) {
    ready.add(view)
    const parts = [search({ top: true }), highlightSelectionMatches()]
    view.dispatch({
      effects: StateEffect.appendConfig.of([...parts, Prec.high(keymap.of([...searchKeymap]))]),
    })
  }
  if (!searchPanelOpen(view.state)) openSearchPanel(view)
}
