import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The slowest files (seconds on two cores, 2026-11), which begin first: one of them alone at the
 * end of a run would leave the other cores idle. Of the rest the longest text begins first.
 */
const SLOW: readonly string[] = [
  'system/cluster/kills',
  'tui/terminal',
  'sync-server/cluster/node-server',
  'sync-server/ops/record-postgres',
  'sync-server/cluster/node-holdings',
  'web/file',
  'web/team',
  'web/page',
  'sync-server/storage/postgres-server',
  'client/attach',
  'sync-server/http-agents/old-clients',
  'agent/runtime/link',
  'agent/runtime/delivery',
  'agent/waking/hooks',
  'agent/skill/skill',
  'agent/mcp/hosts',
  'sync-server/history/versions',
  'agent/waking/watching',
  'agent/runtime/away',
  'sync-server/ops/looking',
  'agent/mirror/gone',
  'sync-server/auth/join',
  'sync-server/ops/upgrade',
  'sync-server/ops/backup',
  'sync-server/history/log',
  'sync-server/ops/repair',
  'agent/verbs/binary',
  'agent/command/servers',
  'sync-server/history/authors',
  'system/environment/machine',
  'agent/mcp/hostile',
  'agent/mirror/verb',
  'agent/mirror/mirror',
  'sync-server/auth/grammar',
  'agent/runtime/waking',
  'sync-server/sync/hostile',
  'client/blobs',
  'sync-server/sync/faults',
  'system/actions/actors',
  'sync-server/http-agents/many-agents',
  'agent/verbs/talking',
  'agent/runtime/dead-worker',
  'sync-server/ops/backup-kills',
  'sync-server/sync/crash',
  'sync-server/tasks/task-archive',
  'system/grammar/run',
  'agent/mirror/torture',
]

const rank = ({ moduleId, project }: TestSpecification): number => {
  const at = SLOW.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  const slow = at < 0 ? SLOW.length : at
  // Files share a worker's modules as long as they follow each other.
  return project.name === 'unit' ? SLOW.length + 1 : slow
}

/** Starts the slow files first, in a fresh clone too. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => rank(a) - rank(b))
  }
}
