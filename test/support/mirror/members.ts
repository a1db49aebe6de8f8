import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { Mirror, type MirrorOptions } from '../../../agent/mirror/mirror.ts'
import type { MirrorEvent } from '../../../agent/mirror/rules/options.ts'
import { WorkspaceHandle } from '../../../agent/session/workspace-handle.ts'
import { Access } from '../../../client/http/credentials.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { root, targetOf, tempDir } from '../server.ts'

/** A replica with a connection, and folders that it mirrors. */
export interface Member {
  place: WorkspaceHandle
  /** What its mirrors told. */
  events: MirrorEvent[]
  mirror: (dir?: string, more?: Partial<MirrorOptions>) => Promise<Mirror>
  /** Resolves when the server has everything. */
  confirm: () => Promise<void>
  close: () => Promise<void>
}

const LIMIT_MS = 60_000

export const member = async (
  url: string,
  workspace: string,
  name: string,
  home = tempDir('home'),
): Promise<Member> => {
  const target = targetOf(url)
  const access = new Access({ dir: home, target, workspace, create: true, env: process.env })
  const at = { dir: `${home}/replica`, target, workspace, access }
  const place = await WorkspaceHandle.open(at, (line) => console.log(line))
  const session = place.connect(null)
  await session.fresh(LIMIT_MS)
  const events: MirrorEvent[] = []
  const mirrors: Mirror[] = []
  return {
    place,
    events,
    mirror: async (dir = tempDir('mirror'), more = {}) => {
      const mirror = await Mirror.open({
        dir,
        prefix: '',
        without: home,
        replica: place.replica,
        session: () => place.session,
        me: name as AgentId,
        report: (event) => events.push(event),
        ...more,
      })
      mirrors.push(mirror)
      await mirror.ready
      return mirror
    },
    confirm: async () => {
      await place.replica.commit()
      await session.barrier(LIMIT_MS)
    },
    close: async () => {
      for (const mirror of mirrors) await mirror.close()
      await place.close()
    },
  }
}

/** What `writer.mjs` wrote. */
export const writer = async (
  dir: string,
  files: readonly string[],
  { name, seed, edits, pause }: { name: string; seed: number; edits: number; pause: number },
): Promise<string[]> => {
  const script = join(root, 'test/support/mirror/writer.mjs')
  const args = [script, name, String(seed), String(edits), String(pause), dir, ...files]
  const child: ChildProcess = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout!.setEncoding('utf8').on('data', (chunk: string) => {
    out += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`the writer ended with ${code}`)
  return out.split('\n').filter(Boolean)
}
