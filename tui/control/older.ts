import type { Attached } from '../../client/resident/attach.ts'
import { type BroadcastEntry, isoTime } from '../../workspace/document/schema.ts'
import type { BroadcastMessage, DirectMessage } from '../../workspace/messages/broadcasts.ts'
import { broadcastOf } from '../model/feed-entries.ts'

/** Entries a page of the server's log has at most. */
const PAGE = 500
/** Pages that one wish for older entries reads at most. */
const MAX_PAGES = 20
/** The first step back, in milliseconds; each next one is twice as long. */
const FIRST_SPAN_MS = 3_600_000

interface Page {
  broadcasts: readonly (BroadcastMessage | DirectMessage)[]
  more: boolean
  next: string | null
}

/**
 * Messages before a time, from the server's log. The log is read forward only: from one hour
 * before, from two, until there is a message or the log begins. `from` is the next start.
 */
export const readOlder = async (
  attached: Attached,
  before: number,
  span = FIRST_SPAN_MS,
): Promise<{ entries: BroadcastEntry[]; span: number }> => {
  let pages = 0
  for (let back = span; pages < MAX_PAGES; back *= 2) {
    const from = Math.max(0, before - back)
    const entries: BroadcastEntry[] = []
    let since: string | null = isoTime(from)
    while (since !== null && pages++ < MAX_PAGES) {
      const page: Page = await readPage(attached, since)
      const said = page.broadcasts.map(broadcastOf)
      entries.push(...said.filter(({ at }) => at < before))
      const last = said.at(-1)
      since = page.more && last !== undefined && last.at < before ? page.next : null
    }
    if (entries.length > 0 || from === 0) return { entries, span: back }
  }
  return { entries: [], span }
}

const readPage = async (attached: Attached, since: string): Promise<Page> => {
  const { code, data, error } = await attached.run(['log', `--since=${since}`, `--limit=${PAGE}`])
  if (code !== 0) throw new Error(error?.message ?? `log ended with ${code}`)
  return data as Page
}
