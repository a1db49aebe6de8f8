import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands'
import { Compartment, EditorState, type Extension } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightSpecialChars,
  keymap,
  lineNumbers,
  ViewPlugin,
} from '@codemirror/view'
import { YSyncConfig, ySync, ySyncFacet } from 'y-codemirror.next'
import * as Y from 'yjs'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { Bursts } from '../../tui/editor/bursts.ts'
import { othersIn } from '../../tui/editor/others.ts'
import { fileStateOf } from '../../tui/editor/place.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { countEdit } from '../../workspace/files/edit-counts.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { placeAt } from '../../workspace/files/text-index.ts'
import type { Workspace } from '../session/workspace.ts'
import { type Blamed, blamedAtCaret, blameGutter } from './blame.ts'
import { carets } from './carets.ts'
import { eachDirection } from './direction.ts'

export { type Blamed, showBlame } from './blame.ts'

/** Own changes without so long a pause are taken back as one (milliseconds). */
const UNDO_MS = 700
/** The own caret is told to others at most this often (milliseconds). */
const SHOW_MS = 80

/** The authors' gutter, where it is shown. */
const authors = new Compartment()

const later = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

const looks = (label: string, isReadOnly: boolean): Extension[] => [
  // Positions are those of the shared text: a line ends with LF only, and CR is a character.
  EditorState.lineSeparator.of('\n'),
  EditorState.readOnly.of(isReadOnly),
  EditorView.contentAttributes.of({ 'aria-label': label }),
  eachDirection,
  EditorView.lineWrapping,
  ...[lineNumbers(), drawSelection(), highlightActiveLine(), highlightSpecialChars()],
]

/** Opens the panel to find and replace, whose code is loaded with the first use. */
const find = (view: EditorView): boolean => {
  void import('./search.ts').then(({ openSearch }) => openSearch(view))
  return true
}

/** Gives words colours; their code is loaded once the text can be edited. */
const addColours = (view: EditorView, path: string): void => {
  import('./languages.ts').then(({ colour }) => colour(view, path)).catch(() => {}) // it stays plain
}

const keys = (undo: Y.UndoManager): Extension =>
  keymap.of([
    { key: 'Mod-z', run: () => undo.undo() !== null, preventDefault: true },
    {
      key: 'Mod-y',
      mac: 'Mod-Shift-z',
      run: () => undo.redo() !== null,
      preventDefault: true,
    },
    { key: 'Mod-Shift-z', run: () => undo.redo() !== null, preventDefault: true },
    { key: 'Mod-f', run: find, preventDefault: true },
    ...defaultKeymap,
    indentWithTab,
  ])

/** An open editor of a shared text. */
export interface OpenEditor {
  view: EditorView
  /** The author of the caret's line; null: nobody has told it yet. */
  blamed: () => Blamed | null
  close: () => void
}

interface Opening {
  isReadOnly: boolean
  path: string
  /** The caret was moved, or the text changed. */
  moved: () => void
}

/** Opens an editor of a shared text in `parent`. The first change makes a new file. */
export const openEditor = (
  parent: ShadowRoot,
  workspace: Workspace,
  file: FileId,
  { isReadOnly, path, moved }: Opening,
): OpenEditor => {
  const { doc } = workspace
  const text = textOf(doc, file)
  const undo = new Y.UndoManager(text, { captureTimeout: UNDO_MS, trackedOrigins: new Set() })
  const config = new YSyncConfig(text, null)
  undo.addTrackedOrigin(config)
  const bursts = new Bursts(
    () => {
      if (workspace.me !== null) countEdit(doc, file, workspace.me, Date.now())
    },
    Date.now,
    later,
  )
  const edited = (event: Y.YTextEvent) => {
    if (event.transaction.origin === config || event.transaction.origin === undo) bursts.edited()
  }
  const before = (transaction: Y.Transaction) => {
    if (transaction.origin !== config || workspace.me === null) return
    if (fileStateOf(doc, path, file).kind !== 'new') return
    putFile(doc, { key: path, content: '', base: null, by: workspace.me, now: Date.now() })
  }
  text.observe(edited)
  doc.on('beforeTransaction', before)
  let shown: (() => void) | null = null
  const show = (view: EditorView) => {
    shown ??= later(SHOW_MS, () => {
      shown = null
      const { anchor, head } = view.state.selection.main
      const at = (index: number) => placeAt(text, Math.min(index, text.length))
      workspace.show({ file, anchor: at(anchor), head: at(head) })
    })
  }
  const view = new EditorView({
    parent,
    root: parent,
    state: EditorState.create({
      doc: text.toString(),
      extensions: [
        ...looks(`Text of ${path}`, isReadOnly),
        authors.of([]),
        keys(undo),
        ySyncFacet.of(config),
        ySync,
        carets(
          () => othersIn(doc, file, workspace.presences(), workspace.me ?? ('' as AgentId)),
          (changed) => workspace.onChange(changed),
        ),
        ViewPlugin.define((opened) => {
          show(opened)
          return {
            update: (update) => {
              if (!update.selectionSet && !update.docChanged) return
              show(update.view)
              moved()
            },
          }
        }),
      ],
    }),
  })
  addColours(view, path)
  const close = () => {
    bursts.end()
    shown?.()
    workspace.show(null)
    text.unobserve(edited)
    doc.off('beforeTransaction', before)
    undo.destroy()
    view.destroy()
  }
  return { view, blamed: () => blamedAtCaret(view), close }
}

/** Shows or hides the gutter of authors. */
export const showAuthors = (view: EditorView, isShown: boolean): void =>
  view.dispatch({ effects: authors.reconfigure(isShown ? blameGutter() : []) })

/** Opens an editor of a private text; `changed` hears of each change. */
export const openDraft = (
  parent: ShadowRoot,
  text: string,
  { label, path, changed }: { label: string; path: string; changed: (text: string) => void },
): (() => void) => {
  const view = new EditorView({
    parent,
    root: parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        ...looks(label, false),
        history(),
        keymap.of([
          { key: 'Mod-f', run: find, preventDefault: true },
          ...historyKeymap,
          ...defaultKeymap,
        ]),
        EditorView.updateListener.of(({ docChanged, state }) => {
          if (docChanged) changed(state.sliceDoc())
        }),
      ],
    }),
  })
  addColours(view, path)
  return () => view.destroy()
}
