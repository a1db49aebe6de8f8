import { defaultKeymap, indentWithTab } from '@codemirror/commands'
import { EditorState, type Extension } from '@codemirror/state'
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
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
import { carets } from './carets.ts'

/** Own changes without so long a pause are taken back as one (milliseconds). */
const UNDO_MS = 700
/** The own caret is told to others at most this often (milliseconds). */
const SHOW_MS = 80

const later = (ms: number, run: () => void): (() => void) => {
  const timer = setTimeout(run, ms)
  return () => clearTimeout(timer)
}

const looks = (path: string, isReadOnly: boolean): Extension[] => [
  // Positions are those of the shared text: a line ends with LF only, and CR is a character.
  EditorState.lineSeparator.of('\n'),
  EditorState.readOnly.of(isReadOnly),
  EditorView.contentAttributes.of({ 'aria-label': `Text of ${path}`, dir: 'auto' }),
  EditorView.perLineTextDirection.of(true),
  EditorView.lineWrapping,
  ...[lineNumbers(), drawSelection(), highlightActiveLine()],
]

/** Opens the panel to find and replace, whose code is loaded with the first use. */
const find = (view: EditorView): boolean => {
  void import('./search.ts').then(({ openSearch }) => openSearch(view))
  return true
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

/**
 * Opens an editor of a shared text in `parent`; returns the function that closes it. In a shadow root CodeMirror's style
 * sheets are adopted, where it would put style elements into a page, which the page's policy forbids. The first change makes
 * a new file.
 */
export const openEditor = (
  parent: ShadowRoot,
  workspace: Workspace,
  file: FileId,
  { isReadOnly, path }: { isReadOnly: boolean; path: string },
): (() => void) => {
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
        ...looks(path, isReadOnly),
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
              if (update.selectionSet || update.docChanged) show(update.view)
            },
          }
        }),
      ],
    }),
  })
  return () => {
    bursts.end()
    shown?.()
    workspace.show(null)
    text.unobserve(edited)
    doc.off('beforeTransaction', before)
    undo.destroy()
    view.destroy()
  }
}
