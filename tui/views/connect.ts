import type { UiFrame } from '../model/frame.ts'
import { type Row, said, seg } from '../ui/rows.ts'
import { paragraph } from './parts/page.ts'

/** The screen until there was contact with the server once: whom it calls, and what keeps it from there. */
export const connectRows = ({ snapshot, plain }: UiFrame, width: number): Row[] => {
  const { where, contact, now } = snapshot
  const { why, since } = contact
  const seconds = Math.max(0, Math.round((now - since) / 1000))
  return [
    [seg('Connecting to ', 'strong'), said(where.server, 'strong')],
    [seg('workspace ', 'dim'), said(where.workspace)],
    [],
    ...paragraph(
      why === null ? 'Waiting for an answer …' : why,
      width,
      why === null ? 'dim' : 'bad',
    ),
    [seg(`${plain ? '' : '○ '}no contact for ${seconds} s; it tries again by itself`, 'dim')],
    [],
    ...paragraph(
      'Is the address right, and is the server running? q quits; clawlink - asks for another join link.',
      width,
      'dim',
    ),
  ]
}
