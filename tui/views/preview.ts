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

/** The page of what is picked; null: nothing is, or it is a folder. */
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
  const lines = page === null ? [] : linesOf(look, page, width, height)
  const shown = lines.slice(0, height)
  const more = lines.length - height
  if (more > 0) shown[height - 1] = [seg(`↓ ${more + 1} more lines: enter`, 'dim')]
  return fill(shown, width, height)
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
