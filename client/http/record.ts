import { DIGEST_BYTES, linkedAll } from '../../lib/hash-chain.ts'
import type { StoryEvent } from '../../protocol/story.ts'
import type { Witness } from '../../protocol/witness.ts'
import { type Answer, call } from './call.ts'
import { notClawLink } from './middlebox.ts'
import type { ServerAt } from './target.ts'

const TIMEOUT_MS = 15_000
/** Digests asked for at once (count): 320 KiB of JSON. */
const PAGE = 5_000

/** A position of a workspace's log, and the head of its hash chain there (hex). */
interface Position {
  seq: number
  head: string
}

interface RecordPage extends Position {
  /** The head where the page begins; null: the log has none there. */
  from: Position | null
  digests: string[]
  /** The head where the page ends. */
  to: Position | null
}

/** The result of comparing a server's log with a witness. */
export interface WitnessCheck {
  seq: number
  head: string
  /**
   * `continued`: the log continues what the witness saw. `cut`: it ends before. `changed`: it has another head there.
   * `broken`: the digests that the server gave do not lead to its newest head.
   */
  result: 'continued' | 'cut' | 'changed' | 'broken'
  /** The server's newest position. */
  end: Position
}

/** `GET …/record`. */
const getRecord = async (
  server: ServerAt,
  workspace: string,
  after: number,
): Promise<RecordPage> => {
  const path = `/api/workspaces/${workspace}/record?after=${after}&limit=${PAGE}`
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<RecordPage>
  if (Array.isArray(answer?.data?.digests)) return answer.data
  throw notClawLink(server.base, 'its log has no hash chain')
}

/**
 * Checks that a server's log continues what a witness saw: links the digests of all records since to the witness's
 * head, which must lead to the head that the server has now. No server can make up such digests.
 */
export const checkWitness = async (
  server: ServerAt,
  workspace: string,
  { seq, head }: Witness,
): Promise<WitnessCheck> => {
  let [at, mine]: [number, Uint8Array] = [seq, Buffer.from(head, 'hex')]
  for (;;) {
    const page = await getRecord(server, workspace, at)
    const end = { seq: page.seq, head: page.head }
    const told = (result: WitnessCheck['result']): WitnessCheck => ({ seq, head, result, end })
    if (page.seq < seq) return told('cut')
    if (page.from?.head !== hex(mine)) return told(at === seq ? 'changed' : 'broken')
    const digests = page.digests.map((digest) => Buffer.from(digest, 'hex'))
    if (digests.some(({ length }) => length !== DIGEST_BYTES)) return told('broken')
    mine = linkedAll(mine, digests)
    at += digests.length
    if (page.to?.seq !== at || page.to.head !== hex(mine)) return told('broken')
    if (at >= page.seq)
      return told(at === page.seq && page.head !== hex(mine) ? 'broken' : 'continued')
    if (digests.length === 0) return told('broken')
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** `GET …/record/story`. Throws `unknown_agent`, `unknown_file`. */
export const getStory = async (
  server: ServerAt,
  workspace: string,
  query: Readonly<Record<string, string>>,
): Promise<{ events: StoryEvent[]; more: boolean }> => {
  const path = `/api/workspaces/${workspace}/record/story?${new URLSearchParams(query)}`
  type Page = { events: StoryEvent[]; more: boolean }
  const answer = (await call(server, 'GET', path, undefined, TIMEOUT_MS)) as Answer<Page>
  if (Array.isArray(answer?.data?.events)) return answer.data
  throw notClawLink(server.base, 'it tells no story')
}
