import { ClawError } from '../../protocol/errors.ts'

/** Something is where ClawLink would write, and ClawLink did not write it. */
export const taken = (path: string): ClawError =>
  new ClawError(
    'host_taken',
    `${path} was not written by hosts install`,
    'move it away, then install again',
  )

/** A file that ClawLink wrote was changed. */
export const changed = (paths: readonly string[]): ClawError =>
  new ClawError(
    'host_changed',
    `changed since it was installed: ${paths.join(', ')}`,
    'move your copy away, then uninstall and install again',
  )

/** A host's own settings cannot be read, or have no place for an entry. */
export const badConfig = (path: string, why: string): ClawError =>
  new ClawError('host_config', `${path} ${why}`, 'put it right; nothing was changed')
