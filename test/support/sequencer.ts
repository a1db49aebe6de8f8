import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * The slowest files (seconds on two cores, 2026-11), which begin first: one of them alone at the
 * end of a run would leave the other cores idle. Of the rest the longest text begins first.
 */
const SLOW: readonly string[] = [
  'agent/waking/watching',
  'agent/waking/hooks',
  'agent/mcp/hosts',
  'sync-server/http-agents/many-agents',
  'sync-server/http-agents/old-clients',
  'sync-server/ops/repair',
  'agent/runtime/away',
  'agent/verbs/binary',
  'agent/command/servers',
  'agent/skill/skill',
  'agent/runtime/delivery',
  'agent/verbs/talking',
  'agent/runtime/dead-worker',
  'agent/runtime/link',
  'agent/mirror/gone',
  'client/attach',
  'system/actions/actors',
  'sync-server/auth/proof',
  'system/environment/machine',
  'sync-server/ops/backup',
  'agent/mirror/verb',
  'agent/mirror/mirror',
  'agent/command/lines',
  'sync-server/auth/grammar',
  'agent/runtime/waking',
  'tui/terminal',
  'client/blobs',
  'agent/verbs/files',
  'sync-server/ops/backup-kills',
  'sync-server/sync/crash',
  'agent/verbs/delegating',
  'client/taken-id',
  'sync-server/sync/faults',
  'sync-server/tasks/task-archive',
  'system/grammar/run',
  'agent/mirror/torture',
]

const rank = ({ moduleId, project }: TestSpecification): number => {
  // Files share a worker's modules as long as they follow each other.
  if (project.name === 'shared') return SLOW.length + 1
  if (project.name === 'unit') return SLOW.length + 2
  const at = SLOW.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`))
  return at < 0 ? SLOW.length : at
}

/** Starts the slow files first, in a fresh clone too. */
export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.sort((a, b) => rank(a) - rank(b))
  }
}
