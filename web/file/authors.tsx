import type { Signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { Blamed, OpenEditor } from '../editor/editor.ts'
import { agoWords } from '../parts/parts.tsx'
import type { Team } from '../state/team.ts'

/** After a change the authors are asked for this much later (milliseconds). */
const AGAIN_MS = 700

interface Props {
  team: Team
  path: string
  editor: { current: OpenEditor | null }
  moves: Signal<number>
}

/** Shows the authors beside the lines of the editor, and tells of the one of the caret's line. */
export const Authors = ({ team, path, editor, moves }: Props) => {
  const { files, now, taskById } = team.snapshot.value
  const version = files.find(({ info }) => info.file_key === path)?.info.version
  const words = ({ agent_id, task_id, via, at }: Blamed): string => {
    const task = task_id === null ? '' : ` for “${taskById.get(task_id)?.task ?? task_id}”`
    const accepted = via === null ? '' : `, accepted by ${team.nameOf(via)}`
    return `${team.nameOf(agent_id)}${task}${accepted}${at === null ? '' : `, ${agoWords(Date.parse(at), now)}`}`
  }
  const open = editor.current
  // The version is that of the server's answer: after each change the authors are read again.
  // biome-ignore lint/correctness/useExhaustiveDependencies: words follow from the snapshot
  useEffect(() => {
    if (open === null) return
    let isGone = false
    const show = async () => {
      const query = new URLSearchParams({ key: path })
      const found = await team.ask<{ ranges: Blamed[] }>('GET', `files/blame?${query}`)
      if (found === null || isGone) return
      const { showAuthors, showBlame } = await import('../editor/editor.ts')
      if (isGone || editor.current !== open) return
      showAuthors(open.view, true)
      showBlame(open.view, found.ranges, (id) => team.nameOf(id), words)
      moves.value++
    }
    const timer = setTimeout(() => void show(), moves.peek() <= 1 ? 0 : AGAIN_MS)
    return () => {
      isGone = true
      clearTimeout(timer)
    }
  }, [open, version, path])
  useEffect(
    () => () => {
      const { current } = editor
      if (current === null) return
      void import('../editor/editor.ts').then(({ showAuthors }) => {
        if (editor.current === current) showAuthors(current.view, false)
      })
    },
    [editor],
  )
  return (
    <p class="faint" role="status">
      {moves.value > 0 && open !== null && <AtCaret open={open} words={words} />}
    </p>
  )
}

const AtCaret = ({ open, words }: { open: OpenEditor; words: (blamed: Blamed) => string }) => {
  const { state } = open.view
  const line = state.doc.lineAt(state.selection.main.head).number
  const found = open.blamed()
  return (
    <>
      Line {line}: {found === null ? 'its author is not known yet' : words(found)}
    </>
  )
}
