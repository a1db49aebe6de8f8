import { counted } from '../../lib/text/count.ts'
import { latest, type UiFrame } from '../model/frame.ts'
import type { Page, ReadPage } from '../model/state.ts'
import { cut } from '../text/display.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { pickedForMe } from './for-me.ts'
import { pageView } from './pages.ts'
import { wholeRows } from './parts/diff.ts'
import { fill } from './parts/list.ts'
import { pickedId } from './picked.ts'

const whole = latest(wholeRows)

/** Page of the picked item; null: nothing is picked, or a folder. */
const pickedPage = (look: UiFrame): Page | null => {
  const { view } = look.state
  if (view === 'me') return pickedForMe(look)?.page ?? null
  const id = pickedId(look)
  if (id === null || id.endsWith('/')) return null
  if (view === 'files') return { kind: 'editor', path: id as never }
  const kind = ({ agents: 'agent', tasks: 'task', feed: 'entry' } as const)[view]
  return { kind, id, top: 0 }
}

/** The beginning of what is picked, in exactly `height` lines of `width` cells. */
export const previewRows = (look: UiFrame, width: number, height: number): Row[] => {
  const page = pickedPage(look)
  const lines = page === null ? folderRows(look, width) : linesOf(look, page, width, height)
  const shown = lines.slice(0, height)
  const more = lines.length - height
  if (more > 0) shown[height - 1] = [seg(`↓ ${more + 1} more lines: enter`, 'dim')]
  return fill(shown, width, height)
}

/** The files of a folder that is picked. */
const folderRows = (look: UiFrame, width: number): readonly Row[] => {
  const folder = look.state.view === 'files' ? pickedId(look) : null
  if (folder === null) return []
  const inside = look.snapshot.files.filter(({ info }) => info.file_key.startsWith(folder))
  return [
    [said(cut(folder, width), 'strong'), seg(`  ${counted(inside.length, 'file')}`, 'dim')],
    [],
    ...inside.map(({ info }): Row => [said(cut(info.file_key.slice(folder.length), width))]),
  ]
}

const linesOf = (look: UiFrame, page: Page, width: number, height: number): readonly Row[] => {
  if (page.kind === 'editor') {
    const text = look.snapshot.peek(page.path)
    const title: Row = [said(cut(page.path, width), 'strong')]
    return [title, [], ...(text === null ? [[seg('this is not text', 'dim')]] : whole(text))]
  }
  const { head, lines } = pageView(look, page as ReadPage, width, height)
  return [...head, ...lines]
}
