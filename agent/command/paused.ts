import { shorten } from '../../lib/text/shorten.ts'
import { pausedBy } from '../../workspace/agents/agents.ts'
import { who, word } from './text.ts'
import type { WorkspaceSession } from './workspace-session.ts'

/**
 * Characters shown of the reason: `prime` stays short even if the text has to be escaped;
 * `discover` has all of it.
 */
const SHOWN = 160

/**
 * If this agent was asked to pause: the field to add to the data, and a line for stderr; otherwise
 * nothing.
 */
export const tellPaused = (
  team: WorkspaceSession,
): { data: { paused?: unknown }; notes: string[] } => {
  const paused = pausedBy(team.doc, team.me())
  if (paused === null) return { data: {}, notes: [] }
  const { by, at } = paused
  const note = shorten(paused.note, SHOWN)
  const why = note === '' ? '' : `: ${word(note)}`
  return {
    data: { paused: { by, at, note } },
    notes: [
      `you are paused by ${who(team.doc, by)} since ${at}${why}; take up no work until resumed`,
    ],
  }
}
