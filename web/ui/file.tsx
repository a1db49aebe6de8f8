import { useEffect, useRef } from 'preact/hooks'
import { fileStateOf, textIdOf } from '../../tui/editor/place.ts'
import { textOf } from '../../workspace/document/schema.ts'
import { hasOthers } from '../../workspace/files/text-index.ts'
import type { Saving } from '../session/workspace.ts'
import { colourOf } from '../state/colour.ts'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'
import { Empty, Who } from './parts.tsx'

const WORDS: Readonly<Record<Saving, string>> = {
  saved: 'all changes are on the server',
  sending: 'sending…',
  kept: 'kept in this browser; sent when the server is back',
  keeping: 'not saved yet: leave this page open',
}

/** One file with its editor. */
export const FilePage = ({ team, path }: { team: Team; path: string }) => {
  const host = useRef<HTMLDivElement>(null)
  const { workspace } = team
  const { me, files } = team.snapshot.value
  const id = textIdOf(workspace.doc, path)
  const state = fileStateOf(workspace.doc, path, id)
  const isText = state.kind !== 'binary' && state.kind !== 'none'
  const isReadOnly = me === null || workspace.role === 'read' || workspace.role === 'suggest'
  useEffect(() => {
    if (host.current === null || !isText) return
    const root = host.current.shadowRoot ?? host.current.attachShadow({ mode: 'open' })
    let close = (): void => {}
    let isGone = false
    // The editor is a file of its own: the other pages come without it.
    void import('../editor/editor.ts').then(async ({ openEditor }) => {
      if (isGone) return
      await styled(root)
      const { doc } = workspace
      close = openEditor(root, workspace, id, {
        isReadOnly: isReadOnly || hasOthers(textOf(doc, id)),
        path,
      })
    })
    return () => {
      isGone = true
      close()
      root.replaceChildren()
    }
  }, [id, isText, isReadOnly, path, workspace])
  const line = files.find(({ info }) => info.file_key === path)
  return (
    <article class="file">
      <header>
        <h2>
          <bdi>{path}</bdi>
        </h2>
        <span role="status">{isReadOnly ? 'read only' : WORDS[team.saving.value]}</span>
        {(line?.editors ?? [])
          .filter((editor) => editor !== me)
          .map((editor) => (
            <Who key={editor} team={team} id={editor} />
          ))}
      </header>
      {state.kind === 'renamed' && (
        <p>
          It is now <a href={linkTo('file', state.to)}>{state.to}</a>.
        </p>
      )}
      {state.kind === 'removed' && (
        <p>
          Removed by <span class={colourOf(state.by)}>{team.nameOf(state.by)}</span>: an edit brings
          it back.
        </p>
      )}
      {state.kind === 'binary' && <Empty>This file is {state.mediaType}, not text.</Empty>}
      {state.kind === 'none' && <Empty>{state.why}</Empty>}
      {isText && <div class="editor" ref={host} />}
    </article>
  )
}

let sheet: Promise<CSSStyleSheet> | null = null

/** Gives the editor's shadow root the style sheet of the page. */
const styled = async (root: ShadowRoot): Promise<void> => {
  sheet ??= (async () => {
    const link = document.querySelector<HTMLLinkElement>('link[rel=stylesheet]')!
    const made = new CSSStyleSheet()
    await made.replace(await (await fetch(link.href)).text())
    return made
  })()
  root.adoptedStyleSheets = [await sheet]
}
