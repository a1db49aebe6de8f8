import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Attached, attach } from '../../client/resident/attach.ts'
import type { LinkAt } from '../../client/resident/run.ts'
import { socketOf } from '../../client/resident/socket.ts'
import { root } from './server.ts'

export const linkAt = (home: string): LinkAt => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    version: string
  }
  const core = join(root, 'dist/clawlink-agent-core.cjs')
  return { home, socket: socketOf(home)!, core, version }
}

/**
 * Attaches this process to a link. Commands and a link that is started take the environment of this process, so the
 * home is in that.
 */
export const attachTo = (link: LinkAt, server: string, ...flags: string[]): Promise<Attached> => {
  process.env.CLAWLINK_HOME = link.home
  return attach({ ...link, flags: ['--as', 'default', '--relay', server, ...flags] })
}
