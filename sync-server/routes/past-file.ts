import { ClawError } from '../../protocol/errors.ts'
import type { CheckpointFile } from '../../workspace/files/checkpoint.ts'
import { parsePast, versionAt } from '../history/versions/at.ts'
import { findFile } from '../history/versions/read.ts'
import type { Room } from '../sync/room.ts'
import type { AppEnv } from './env.ts'

/** A moment of a file: one of these. */
export interface Which {
  version?: number | undefined
  /** An ISO time, or an age such as 2h. */
  at?: string | undefined
  checkpoint?: string | undefined
}

/** Throws `usage`. */
const checkOne = ({ version, at, checkpoint }: Which): void => {
  const given = [version, at, checkpoint].filter((one) => one !== undefined)
  if (given.length === 1) return
  throw new ClawError(
    'usage',
    'which version? one of `version`, `at` and `checkpoint` names it',
    'file-log and checkpoints show what there is',
  )
}

/**
 * A file of the loaded room as it was. All commits before the call have their versions. Throws `usage`, `unknown_file`,
 * `unknown_version`, `unknown_checkpoint`.
 */
export const pastFile = async (
  env: Pick<AppEnv, 'checkpoints' | 'history' | 'updateLog' | 'now'>,
  room: Room,
  key: string,
  which: Which,
): Promise<CheckpointFile> => {
  checkOne(which)
  await env.history.settled(room.name)
  if (which.checkpoint !== undefined) return fileIn(env, room, key, which.checkpoint)
  const file = await room.command((doc) => findFile(doc, key))
  const version =
    which.version ??
    (await versionAt(env.updateLog.versions, room.name, file, parsePast(which.at!, env.now())))
  return { id: file.id, path: file.file_key ?? (file.asked as CheckpointFile['path']), version }
}

/** The file by the path that it had at the checkpoint, else by the one that it has now. */
const fileIn = async (
  { checkpoints }: Pick<AppEnv, 'checkpoints'>,
  room: Room,
  typed: string,
  name: string,
): Promise<CheckpointFile> => {
  const { of, at } = await checkpoints.get(room.name, name)
  const key = typed.normalize('NFC')
  const then = of.find(({ path }) => path === key)
  if (then !== undefined) return then
  const { id } = await room.command((doc) => findFile(doc, key))
  const found = of.find((file) => file.id === id)
  if (found !== undefined) return found
  throw new ClawError(
    'unknown_file',
    `there was no file ${key} at checkpoint ${name} (${at})`,
    'checkpoints lists the others',
  )
}
