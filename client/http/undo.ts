import type { UndoReport } from '../../workspace/authorship/undo-report.ts'
import { type Answer, call } from './call.ts'
import { notClawLink } from './middlebox.ts'
import type { ServerAt } from './target.ts'

/** An undo in a large workspace takes seconds (milliseconds). */
const TIMEOUT_MS = 120_000

/** `POST …/undo`. Throws the server's error. `key`: its idempotency key. */
export const postUndo = async (
  server: ServerAt,
  workspace: string,
  body: object,
  key: string,
): Promise<UndoReport> => {
  const path = `/api/workspaces/${workspace}/undo`
  const answer = await call(server, 'POST', path, body, TIMEOUT_MS, key)
  const { data } = (answer ?? {}) as Answer<UndoReport>
  if (Array.isArray(data?.files)) return data
  throw notClawLink(server.base, 'it cannot undo')
}
