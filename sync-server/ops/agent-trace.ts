import { createHash, randomUUID } from 'node:crypto'
import {
  AGENT_TRACE_VERSION,
  type TraceEnv,
  type TraceRecord,
  traceFile,
} from '../../workspace/authorship/agent-trace.ts'
import { blame } from '../../workspace/authorship/blame.ts'
import { isoTime } from '../../workspace/document/schema.ts'
import { isBinary } from '../../workspace/files/blobs.ts'
import { allFiles, keysByFileId } from '../../workspace/files/tree.ts'
import { agentsOf, readText } from '../history/attribution/blame.ts'
import type { LevelUpdateLog } from '../storage/level-update-log.ts'
import type { Contents } from './contents.ts'

/** The origins of all shared texts of a workspace as one Agent Trace record (JSON), a file per line. */
export const agentTrace = async function* (
  log: LevelUpdateLog,
  { workspace, doc, agents }: Contents,
  version: string,
  now: number,
): AsyncGenerator<string> {
  const kinds = new Map(agents.map(({ agent_id, kind }) => [String(agent_id), kind]))
  const env: TraceEnv = {
    workspace,
    kindOf: (agent) => kinds.get(agent) ?? null,
    hash: (text) => `sha256:${createHash('sha256').update(text).digest('hex')}`,
  }
  const {
    files: _,
    metadata,
    ...head
  }: TraceRecord = {
    ...{ version: AGENT_TRACE_VERSION, id: randomUUID(), timestamp: isoTime(now) },
    tool: { name: 'clawlink', version },
    files: [],
    metadata: { clawlink: { workspace } },
  }
  yield `${JSON.stringify({ ...head, metadata }).slice(0, -1)},"files":[`
  const runs = await log.attribution(workspace, null)
  const owners = await log.owners(workspace)
  const paths = keysByFileId(doc)
  let before = '\n'
  for (const { key, entry } of allFiles(doc)) {
    if (isBinary(entry) || paths.get(entry.fileId) !== key) continue
    const state = readText(doc, key, false)
    const text = state.spans.map((span) => span.text).join('')
    const ranges = blame(state.spans, runs, agentsOf(owners, state, runs.inserts))
    yield before + JSON.stringify(traceFile(key, text, ranges, env))
    before = ',\n'
  }
  yield '\n]}\n'
}
