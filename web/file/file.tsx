import { type Signal, useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { fileStateOf, textIdOf } from '../../tui/editor/place.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { hasOthers } from '../../workspace/files/text-index.ts'
import type { OpenEditor } from '../editor/editor.ts'
import { lazy } from '../parts/lazy.tsx'
import { Empty, Said, Who } from '../parts/parts.tsx'
import { Shadow } from '../parts/shadow.tsx'
import type { Saving } from '../session/workspace.ts'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

const panels = () => import('./panels.ts')
const Authors = lazy(async () => (await panels()).Authors)
const History = lazy(async () => (await panels()).History)
const Suggestions = lazy(async () => (await panels()).Suggestions)
const Propose = lazy(async () => (await panels()).Propose)
const Undo = lazy(async () => (await panels()).Undo)

const WORDS: Readonly<Record<Saving, string>> = {
  saved: 'all changes are on the server',
  sending: 'sending…',
  kept: 'kept in this browser; sent when the server is back',
  keeping: 'not saved yet: leave this page open',
}

const PANELS = [
  ['authors', 'Authors'],
  ['history', 'History'],
  ['suggestions', 'Suggestions'],
  ['propose', 'Suggest a change'],
  ['undo', 'Undo by agent'],
] as const
type Panel = (typeof PANELS)[number][0]

interface Props {
  team: Team
  path: string
  /** Opens it with its suggestions. */
  isReview: boolean
}

/** One file with its editor, and what is known of its text. */
export const FilePage = ({ team, path, isReview }: Props) => {
  const panel = useSignal<Panel | null>(isReview ? 'suggestions' : null)
  const editor = useRef<OpenEditor | null>(null)
  /** Counts the moves of the caret, and editors that were opened. */
  const moves = useSignal(0)
  const { workspace } = team
  const { me, files, waiting } = team.snapshot.value
  const id = textIdOf(workspace.doc, path)
  const state = fileStateOf(workspace.doc, path, id)
  const isText = state.kind !== 'binary' && state.kind !== 'none'
  const mayWrite = me !== null && workspace.role !== 'read' && workspace.role !== 'suggest'
  const open = async (root: ShadowRoot) => {
    // The editor is a file of its own: the other pages come without it.
    const { openEditor } = await import('../editor/editor.ts')
    const { doc } = workspace
    const opened = openEditor(root, workspace, id, {
      isReadOnly: !mayWrite || hasOthers(textOf(doc, id)),
      path,
      moved: () => moves.value++,
    })
    editor.current = opened
    moves.value++
    return () => {
      editor.current = null
      opened.close()
    }
  }
  const line = files.find(({ info }) => info.file_key === path)
  const may: Readonly<Record<Panel, boolean>> = {
    authors: true,
    history: true,
    suggestions: true,
    propose: me !== null && workspace.role !== 'read',
    undo: mayWrite,
  }
  return (
    <article class="file">
      <header>
        <h2>
          <Said text={path} />
        </h2>
        <span role="status">{mayWrite ? WORDS[team.saving.value] : 'read only'}</span>
        {(line?.editors ?? [])
          .filter((one) => one !== me)
          .map((one) => (
            <Who key={one} team={team} id={one} />
          ))}
      </header>
      <Gone team={team} state={state} />
      {isText && line !== undefined && (
        <Toolbar panel={panel} may={may} count={waiting.get(path) ?? 0} />
      )}
      {panel.value === 'authors' && <Authors {...{ team, path, editor, moves }} />}
      {panel.value === 'history' && <History {...{ team, path, mayWrite }} />}
      {panel.value === 'suggestions' && <Suggestions {...{ team, path, mayWrite }} />}
      {panel.value === 'propose' && <Propose {...{ team, path }} />}
      {panel.value === 'undo' && <Undo {...{ team, path }} />}
      {isText && (
        <p class="faint">
          Escape, then Tab leaves the text. Ctrl-F finds, Ctrl-Z takes own edits back.
        </p>
      )}
      {isText && <Shadow open={open} of={`${id} ${path} ${mayWrite}`} />}
    </article>
  )
}

interface ToolbarProps {
  panel: Signal<Panel | null>
  may: Readonly<Record<Panel, boolean>>
  /** Suggestions that wait. */
  count: number
}

const Toolbar = ({ panel, may, count }: ToolbarProps) => (
  <div class="buttons" role="toolbar" aria-label="About this text">
    {PANELS.filter(([name]) => may[name]).map(([name, title]) => (
      <button
        key={name}
        type="button"
        aria-expanded={panel.value === name}
        onClick={() => {
          panel.value = panel.value === name ? null : name
        }}
      >
        {title}
        {name === 'suggestions' && count > 0 && <b class="count">{count}</b>}
      </button>
    ))}
  </div>
)

/** Says that a file is not at its path, or is not text. */
const Gone = ({ team, state }: { team: Team; state: ReturnType<typeof fileStateOf> }) => {
  switch (state.kind) {
    case 'renamed':
      return (
        <p>
          It is now{' '}
          <a href={linkTo('file', state.to)}>
            <Said text={state.to} />
          </a>
          .
        </p>
      )
    case 'removed':
      return (
        <p>
          Removed by <Who team={team} id={state.by} />: an edit brings it back.
        </p>
      )
    case 'binary':
      return <Empty>This file is {state.mediaType}, not text.</Empty>
    case 'none':
      return <Empty>{state.why}</Empty>
    default:
      return null
  }
}
