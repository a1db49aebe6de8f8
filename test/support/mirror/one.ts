import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { Mirror, MirrorOptions } from '../../../agent/mirror/mirror.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { removeFile } from '../../../workspace/files/move-file.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { until } from '../client.ts'
import { startHere } from '../in-process.ts'
import { makeWorkspaces, type ServerAt, tempDir } from '../server.ts'
import { type Member, member } from './members.ts'

/** Somebody else. */
export const MALLORY = 'mallory' as AgentId

/** For the tests of a file: a server, and for each test a workspace with one member, who has a folder. */
export const oneMember = (label: string) => {
  let server: ServerAt
  let one: Member
  let dir = ''
  let count = 0
  beforeAll(async () => {
    server = await startHere()
  })
  afterAll(() => server.stop())
  beforeEach(async () => {
    const workspace = `${label}${count++}`
    await makeWorkspaces(server.url, workspace)
    one = await member(server.url, workspace, 'one')
    dir = tempDir('dir')
  })
  afterEach(() => one.close())

  const doc = () => one.place.replica.doc
  const textAt = (key: string): string | null =>
    findLeaf(doc(), key) === null ? null : readFile(doc(), key).content
  const read = (rel: string): string | null =>
    existsSync(join(dir, rel)) ? readFileSync(join(dir, rel), 'utf8') : null
  const write = (rel: string, text = `${rel}\n`): void => {
    mkdirSync(join(dir, rel, '..'), { recursive: true })
    writeFileSync(join(dir, rel), text)
  }
  return {
    one: () => one,
    dir: () => dir,
    doc,
    /** What others did to the shared files. */
    put: (key: string, content: string, base: string | null = null) =>
      putFile(doc(), { key, content, base, by: MALLORY, now: 1, force: true }),
    drop: (key: string) => removeFile(doc(), key, MALLORY, 2),
    textAt,
    keys: (): string[] =>
      [...doc().getMap('files').keys()].filter((key) => findLeaf(doc(), key) !== null).sort(),
    read,
    has: (rel: string, text: string | null) => until(`${rel} is there`, () => read(rel) === text),
    write,
    mirror: (more: Partial<MirrorOptions> = {}): Promise<Mirror> =>
      one.mirror(dir, { loosenMs: 600, ...more }),
    /** What is written now has been carried once this resolves. */
    carried: async (): Promise<void> => {
      const rel = `carried-${count++}.md`
      write(rel)
      await until(`${rel} is shared`, () => textAt(rel) !== null)
    },
  }
}
