import type { BroadcastEntry } from '../../../workspace/document/schema.ts'
import { fetch } from '../server.ts'

export interface Archived {
  seq: number
  client: number
  clock: number
  entry: BroadcastEntry
}

export interface Logged {
  data: { broadcasts: { message_id: string }[]; more: boolean; next: string | null }
}

/** The whole archive of a workspace, page by page. */
export const readArchive = async (url: string, workspace: string): Promise<Archived[]> => {
  const all: Archived[] = []
  for (let after = 0; ; ) {
    const answer = await fetch(`${url}/api/workspaces/${workspace}/archive?after=${after}`)
    const { data } = (await answer.json()) as { data: { entries: Archived[]; next: number } }
    if (data.next === after) return all
    all.push(...data.entries)
    after = data.next
  }
}

/** The ids of what a log query and all pages after it show. */
export const walkLog = async (url: string, workspace: string, query: string): Promise<string[]> => {
  const ids: string[] = []
  const parameters = new URLSearchParams(query)
  for (;;) {
    const answer = await fetch(`${url}/api/workspaces/${workspace}/log?${parameters}`)
    if (!answer.ok) throw new Error(await answer.text())
    const { data } = (await answer.json()) as Logged
    ids.push(...data.broadcasts.map(({ message_id }) => message_id))
    if (!data.more) return ids
    parameters.set('since', data.next!)
  }
}
