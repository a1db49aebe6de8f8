import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { readFile } from '../../workspace/files/file-info.ts'
import { TextForm } from '../parts/forms.tsx'
import { Empty } from '../parts/parts.tsx'
import { Shadow } from '../parts/shadow.tsx'
import type { Team } from '../state/team.ts'

/** A proposal that is being written; a closed tab loses none of it. */
interface Draft {
  text: string
  base_version: number
}

/** A private copy of the text, which becomes a suggestion for the file. */
export const Propose = ({ team, path }: { team: Team; path: string }) => {
  const { doc, where, id } = team.workspace
  const name = `clawlink-draft/${location.pathname}/${where.workspace}/${id}/${path}`
  const draft = useRef<Draft | null>(null)
  const filed = useSignal(0)
  if (draft.current === null) {
    const kept = localStorage.getItem(name)
    const { content, version } = readFile(doc, path)
    draft.current =
      kept === null ? { text: content, base_version: version } : (JSON.parse(kept) as Draft)
  }
  const open = async (root: ShadowRoot) => {
    const { openDraft } = await import('../editor/editor.ts')
    const changed = (text: string) => {
      draft.current = { ...draft.current!, text }
      localStorage.setItem(name, JSON.stringify(draft.current))
    }
    const label = `Your proposal for ${path}`
    return openDraft(root, draft.current!.text, { label, path, changed })
  }
  const send = async (note: string) => {
    const { text, base_version } = draft.current!
    const body = { key: path, content: text, base_version, note }
    if (!(await team.act('suggestions', body, 'Suggested.'))) return false
    localStorage.removeItem(name)
    draft.current = null
    filed.value++
    return true
  }
  return (
    <section class="panel" aria-label="Suggest a change">
      <Empty>
        Change this copy and say why. The file changes once somebody accepts it, hunk by hunk.
      </Empty>
      <Shadow open={open} of={`${path} ${filed.value}`} />
      <TextForm label="Why" button="Suggest" isRequired={false} send={send} />
      <button
        type="button"
        onClick={() => {
          localStorage.removeItem(name)
          draft.current = null
          filed.value++
        }}
      >
        Start again from the text as it is now
      </button>
    </section>
  )
}
