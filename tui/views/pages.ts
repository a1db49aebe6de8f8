import type { WordedText } from '../highlight/texts.ts'
import { searchNeed } from '../model/finder.ts'
import type { UiFrame } from '../model/frame.ts'
import type { Need } from '../model/reads.ts'
import { type ReadPage, readPage } from '../model/state.ts'
import { said } from '../ui/rows.ts'
import { agentPage } from './agents.ts'
import {
  checkpointNeeds,
  checkpointsNeeds,
  checkpointsView,
  checkpointTexts,
  checkpointView,
} from './checkpoints.ts'
import { entryPage } from './feed.ts'
import { pickedForMe } from './for-me.ts'
import { historyNeeds, historyTexts, historyView } from './history.ts'
import { type PageView, textPage } from './parts/page-view.ts'
import { isSplit } from './parts/split.ts'
import { replayNeeds, replayView } from './replay.ts'
import {
  suggestionNeeds,
  suggestionsNeeds,
  suggestionsView,
  suggestionTexts,
  suggestionView,
} from './suggestions.ts'
import { taskNeeds, taskPage } from './task.ts'
import { undoNeeds, undoTexts, undoView } from './undo.ts'

/** The page in `height` lines of `width` cells. Its subject may be gone, or in the archive. */
export const pageView = (
  look: UiFrame,
  page: ReadPage,
  width: number,
  height: number,
): PageView => {
  switch (page.kind) {
    case 'agent':
    case 'task':
    case 'entry': {
      const draw = { agent: agentPage, task: taskPage, entry: entryPage }[page.kind]
      return textPage(draw(look, page, width) ?? [[said(`${page.id} is not here`, 'dim')]])
    }
    case 'history':
      return historyView(look, page, width)
    case 'replay':
      return replayView(look, page, width, height)
    case 'checkpoints':
      return checkpointsView(look, page, width)
    case 'checkpoint':
      return checkpointView(look, page)
    case 'suggestions':
      return suggestionsView(look, page, width)
    case 'suggestion':
      return suggestionView(look, page, width)
    case 'undo':
      return undoView(look, page)
  }
}

/** The open page, or what the preview shows of a suggestion; null: none is read. */
const shownPage = (look: UiFrame): ReadPage | null => {
  const page = readPage(look.state)
  if (page !== null || look.state.view !== 'me' || !isSplit(look)) return page
  const picked = pickedForMe(look)?.page
  return picked?.kind === 'suggestion' ? picked : null
}

/** The texts of changes on the screen whose words have colours. */
export const textsOf = (look: UiFrame): readonly WordedText[] => {
  const page = shownPage(look)
  switch (page?.kind) {
    case 'history':
      return historyTexts(look, page)
    case 'checkpoint':
      return checkpointTexts(look, page)
    case 'suggestion':
      return suggestionTexts(look, page)
    case 'undo':
      return undoTexts(look, page)
    default:
      return []
  }
}

/** The answers that the open page, or the finder, shows. */
export const needsOf = (look: UiFrame): readonly Need[] => {
  const { mode } = look.state
  const page = shownPage(look)
  const query = mode.kind === 'finder' ? mode.line.text : page?.query
  if (query !== undefined) return [searchNeed(query, look.snapshot.now) ?? []].flat()
  switch (page?.kind) {
    case 'task':
      return taskNeeds(look, page.id)
    case 'history':
      return historyNeeds(look, page)
    case 'replay':
      return replayNeeds()
    case 'checkpoints':
      return checkpointsNeeds()
    case 'checkpoint':
      return checkpointNeeds(page)
    case 'suggestions':
      return suggestionsNeeds(look, page)
    case 'suggestion':
      return suggestionNeeds(look, page)
    case 'undo':
      return undoNeeds(page)
    default:
      return []
  }
}
