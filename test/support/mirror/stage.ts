import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { AgentId } from '../../../protocol/ids.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { until } from '../client.ts'
import { startHere } from '../in-process.ts'
import { makeWorkspaces, type ServerAt } from '../server.ts'
import { type Member, member } from './members.ts'

/** The server of a test file, which a test may start anew, and the members of the workspace of the test that runs. */
export interface MirrorStage {
  server: ServerAt
  join: (name: string, home?: string) => Promise<Member>
  /** Closes it before the test ends. */
  leave: (one: Member) => Promise<void>
}

/** Set up before the first test of the file that calls this; each test has a workspace of its own. */
export const mirrorStage = (): MirrorStage => {
  let workspace = ''
  let count = 0
  const members: Member[] = []
  const stage = {
    join: async (name, home) => {
      const one = await member(stage.server.url, workspace, name, home)
      members.push(one)
      return one
    },
    leave: (one) => {
      members.splice(members.indexOf(one), 1)
      return one.close()
    },
  } as MirrorStage
  beforeAll(async () => {
    stage.server = await startHere()
  })
  afterAll(() => stage.server.stop())
  beforeEach(async () => {
    workspace = `mirror${count++}`
    await makeWorkspaces(stage.server.url, workspace)
  })
  afterEach(async () => {
    for (const one of members.splice(0)) await one.close()
  })
  return stage
}

/** The text of a shared file; null: it does not exist. */
export const textAt = ({ place }: Member, key: string): string | null =>
  findLeaf(place.replica.doc, key) === null ? null : readFile(place.replica.doc, key).content

/** Writes a shared file as others do. */
export const put = ({ place }: Member, key: string, content: string, base: string | null = null) =>
  putFile(place.replica.doc, { key, content, base, by: 'p' as AgentId, now: 1, force: true })

/** The text of a file on disk; null: it cannot be read. */
export const read = (dir: string, rel: string): string | null => {
  try {
    return readFileSync(join(dir, rel), 'utf8')
  } catch {
    return null
  }
}

/** Resolves once the file on disk has this text; null: once it is gone. */
export const has = (what: string, dir: string, rel: string, text: string | null) =>
  until(`${what}: ${rel} is there`, () => read(dir, rel) === text)
