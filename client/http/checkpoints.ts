import type { CheckpointInfo, FileChangeKind } from '../../workspace/files/checkpoint.ts'
import { type Answer, call } from './call.ts'
import { notClawLink } from './middlebox.ts'
import type { ServerAt } from './target.ts'

/** A comparison or a restore of a large workspace takes seconds (milliseconds). */
const TIMEOUT_MS = 120_000

/** A file that differs between two moments. */
export interface FileDiff {
  file_key: string
  change: FileChangeKind
  was?: string
  from_version: number | null
  to_version: number | null
  added_lines?: number
  removed_lines?: number
  diff: string | null
  why?: string
}

export interface Comparison {
  from: string
  to: string
  files: FileDiff[]
  /** Files were listed without their diff. */
  more: boolean
}

export interface Restoration {
  dry_run: boolean
  restored: {
    file_key: string
    change: FileChangeKind
    version: number | null
    added_lines?: number
    removed_lines?: number
    conflicts?: { from_line: number; to_line: number; by: string }[]
  }[]
  skipped: { file_key: string; why: string }[]
}

const ask = async <T>(
  server: ServerAt,
  method: 'GET' | 'POST',
  path: string,
  body: object | undefined,
  key?: string,
): Promise<T> => {
  const answer = await call(server, method, path, body, TIMEOUT_MS, key)
  const { data } = (answer ?? {}) as Answer<T>
  if (data === undefined) throw notClawLink(server.base, 'it keeps no checkpoints')
  return data
}

const at = (workspace: string, rest = ''): string =>
  `/api/workspaces/${workspace}/checkpoints${rest}`

/** The checkpoints of a workspace, oldest first. */
export const getCheckpoints = async (
  server: ServerAt,
  workspace: string,
): Promise<CheckpointInfo[]> =>
  (await ask<{ checkpoints: CheckpointInfo[] }>(server, 'GET', at(workspace), undefined))
    .checkpoints

/** Throws `checkpoint_exists`, `bad_name`, `too_large`. */
export const postCheckpoint = (
  server: ServerAt,
  workspace: string,
  body: { name: string; note: string; by: string },
  key: string,
): Promise<{ checkpoint: CheckpointInfo }> => ask(server, 'POST', at(workspace), body, key)

/** Throws `unknown_checkpoint`, `not_allowed`. */
export const postRemoveCheckpoint = (
  server: ServerAt,
  workspace: string,
  body: { name: string; by: string },
): Promise<{ checkpoint: CheckpointInfo }> => ask(server, 'POST', at(workspace, '/remove'), body)

/** `to`: a checkpoint, or `now`. Throws `unknown_checkpoint`. */
export const getComparison = (
  server: ServerAt,
  workspace: string,
  query: { from: string; to: string; key?: string },
): Promise<Comparison> =>
  ask(server, 'GET', at(workspace, `/diff?${new URLSearchParams(query)}`), undefined)

/** Throws `unknown_checkpoint`, `not_registered`, `quota`. */
export const postRestore = (
  server: ServerAt,
  workspace: string,
  body: { name: string; dry_run: boolean; by: string },
  key: string,
): Promise<Restoration> => ask(server, 'POST', at(workspace, '/restore'), body, key)
