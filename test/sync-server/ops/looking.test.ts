import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { beforeAll, expect, it } from 'vitest'
import * as Y from 'yjs'
import { filesOf } from '../../../workspace/document/schema.ts'
import { blobFiles, getBytes } from '../../support/blobs.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync, syncHere, syncJsonHere } from '../../support/ops/commands.ts'
import { copyOf, livedIn } from '../../support/ops/lived-in.ts'
import { putIn } from '../../support/poison.ts'
import { tempDir } from '../../support/server.ts'

let data: string
let blob: string
beforeAll(async () => {
  const lived = await livedIn('stop')
  data = lived.data
  blob = lived.blob
})

interface Verified {
  workspaces: number
  records: number
  updates: number
  archived: number
  versions: number
  blobs: number
  problems: { where: string; what: string; todo: string }[]
}

it('[OPS-8] verify looks at every record of a folder, of a running server, and of a backup: exit 0', async () => {
  const stopped = await syncJsonHere<Verified>('verify', '--data', data)
  expect(stopped).toMatchObject({ workspaces: 2, blobs: 1, problems: [] })
  expect(stopped.archived).toBeGreaterThan(1_000)
  expect(stopped.versions).toBe(8)
  const server = await startHere({ data: copyOf(data) })
  const running = await syncHere('verify', '--data', server.data)
  expect([running.code, running.stdout]).toEqual([0, expect.stringContaining('all well')])
  const backup = place('backup')
  await syncHere('backup', backup, '--data', server.data)
  expect((await syncHere('verify', backup)).code).toBe(0)
  expect(readdirSync(join(server.data, '..'))).toEqual(['data'])
  await server.stop()
})

it('[OPS-8] verify says what is wrong, where, and what to do: exit 1', async () => {
  const copy = copyOf(data)
  const path = join(copy, 'blobs', blobFiles(copy)[0]!)
  writeFileSync(path, 'others')
  const wrong = await syncHere('verify', '--data', copy)
  expect(wrong.code).toBe(1)
  expect(wrong.stdout).toMatch(
    new RegExp(`damaged  workspace default, blob ${blob}: its 6 bytes [^\n]+\n +remove [^\n]+`),
  )
  rmSync(path)
  const missing = await syncHere('verify', '--data', copy, '--json')
  expect(missing.code).toBe(1)
  expect(JSON.parse(missing.stdout)).toMatchObject({
    ok: false,
    error: { code: 'data_damaged' },
    data: {
      problems: [
        { where: `workspace default, blob ${blob}`, what: expect.stringContaining('missing') },
      ],
    },
  })
})

it('[OPS-12] doctor says a line of each check, and what to do where something is wrong', async () => {
  const copy = copyOf(data)
  const well = await syncHere('doctor', '--data', copy, '--port', '23')
  expect([well.code, well.stderr]).toEqual([0, ''])
  for (const check of ['versions', 'folder', 'disk', 'store', 'clock']) {
    expect(well.stdout).toMatch(new RegExp(`^(ok|warn) +${check}: `, 'm'))
  }
  const server = await startHere({ data: copy })
  const running = await syncHere('doctor', '--data', copy)
  expect([running.code, running.stdout]).toEqual([
    0,
    expect.stringMatching(new RegExp(`^ok +server: \\S+ at ${server.url}, all well$`, 'm')),
  ])
  await server.stop()

  const holder = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => holder.once('listening', resolve))
  const { port } = holder.address() as { port: number }
  chmodSync(copy, 0o755)
  chmodSync(join(copy, 'owner.json'), 0o644)
  utimesSync(join(copy, 'CURRENT'), Date.now() / 1000 + 3_600, Date.now() / 1000 + 3_600)
  mkdirSync(`${copy}.partial-0a1b2c3d`)
  rmSync(join(copy, readdirSync(copy).find((name) => name.endsWith('.ldb'))!))
  const ill = await syncHere('doctor', '--data', copy, '--port', String(port))
  expect(ill.code).toBe(1)
  for (const words of [
    `warn  folder: others may read ${copy} — chmod 700`,
    'fail  folder: others may read owner.json',
    'fail  store: ',
    `warn  port: ${port} is used by another program`,
    'fail  clock: ',
    'warn  leftovers: ',
  ]) {
    expect(ill.stdout).toContain(words)
  }
  holder.close()
})

it('[OPS-13] W14: export writes agents, tasks, broadcasts and files, live and archived ones', async () => {
  const md = place('md')
  const done = await syncHere('export', md, '--data', data)
  expect(done.stdout).toContain('default: 1 agent, 2 tasks, 2050 broadcasts, 4 files')
  const read = (...path: string[]) => readFileSync(join(md, ...path), 'utf8')
  expect(read('quiet', 'files', 'a.txt')).toBe('quiet\n')
  expect(read('default', 'files', 'notes', 'plan.md')).toContain('0: 4\n')
  expect(read('default', 'agents.md')).toContain('**Ada**')
  expect(read('default', 'tasks.md')).toMatch(
    /^## .+ \(completed, archived\)\n\nt-done00000001, [\s\S]*> it is done/m,
  )
  // Titles are what the tasks are about, and agents have their names.
  expect(read('default', 'tasks.md')).toMatch(/ from Ada \(a-/)
  expect(read('default', 'broadcasts.md')).toMatch(/^### .* Ada \(a-/m)
  expect(read('default', 'broadcasts.md').match(/^> said \d+$/gm)).toHaveLength(2_050)

  const json = place('json')
  await syncHere('export', json, '--data', data, '--format', 'json', '--workspace', 'default')
  expect(readdirSync(json)).toEqual(['default'])
  const parsed = <T>(name: string) =>
    JSON.parse(readFileSync(join(json, 'default', name), 'utf8')) as T
  expect(parsed<{ content: string }[]>('broadcasts.json').map(({ content }) => content)).toEqual(
    Array.from({ length: 2_050 }, (_, i) => `said ${i}`),
  )
  expect(parsed('tasks.json')).toMatchObject([
    { status: 'submitted' },
    { status: 'completed', archived: true, history: [{ state: 'completed' }] },
  ])
  const unknown = await syncHere('export', place('no'), '--data', data, '--workspace', 'defalt')
  expect([unknown.code, unknown.stderr]).toEqual([
    3,
    expect.stringContaining('did you mean default'),
  ])
})

it('[OPS-13] export of a running server; nothing is written outside of the folder, and what is left out is said', async () => {
  // As an older server let it in.
  const doc = new Y.Doc()
  const evil = { fileId: 'x', mediaType: 'text/plain', createdBy: 'a-1', createdAt: 1 } as never
  for (const key of ['../../evil.txt', '/tmp/clawlink-evil.txt', 'notes'])
    filesOf(doc).set(key, evil)
  for (const key of ['twin-a', 'twin-b', 'twin-c'])
    filesOf(doc).set(key, { ...(evil as object), fileId: 'twins' } as never)
  const copy = copyOf(data)
  await putIn(copy, 'default', [Y.encodeStateAsUpdate(doc)])
  const server = await startHere({ data: copy })
  const dir = place('files')
  const { workspaces } = await syncJsonHere<{
    workspaces: Record<string, { files: number; left_out: { file_key: string; reason: string }[] }>
  }>('export', dir, '--data', server.data, '--format', 'files')
  const left = workspaces.default!.left_out.map(({ file_key }) => file_key)
  expect(left).toEqual(expect.arrayContaining(['../../evil.txt', '/tmp/clawlink-evil.txt']))
  expect(left).toHaveLength(5)
  expect(workspaces.default!.left_out).toContainEqual({
    file_key: 'twin-b',
    reason: 'it is the same text as twin-a',
  })
  expect(existsSync(join(dir, '..', 'evil.txt'))).toBe(false)
  expect(readFileSync(join(dir, 'default', 'files', 'picture.png'))).toEqual(
    await getBytes(server, blob),
  )
  expect(readdirSync(join(dir, 'default'))).toEqual(['files'])
  await server.stop()
})

it('[OPS-12] [OPS-22] commands say what is wrong with them, in the shape of every error', async () => {
  const empty = tempDir('empty')
  for (const [args, code, words] of [
    [['backup'], 2, 'DIR is missing — usage: clawlink-sync backup DIR'],
    [['backup', 'a', 'b'], 2, 'unexpected argument "b"'],
    [['verify', '--dta', 'x'], 2, '--data'],
    [['backp'], 2, 'did you mean backup'],
    [['export', place('x'), '--format', 'xml'], 2, 'one of: md, json, files'],
    [['verify', '--data', empty], 3, 'holds no server data'],
    [['verify', place('nothing')], 3, 'does not exist'],
    [['restore', empty, '--data', place('y')], 4, 'is not a finished backup'],
  ] as const) {
    const ran = await sync(...args)
    expect(ran.code, args.join(' ')).toBe(code)
    expect(ran.stderr).toMatch(/^error: [^\n]+ — [^\n]+\n$/)
    expect(ran.stderr).toContain(words)
  }
  if (process.platform === 'linux') {
    const nowhere = await syncHere('backup', '/proc/x/y', '--data', copyOf(data))
    expect([nowhere.code, nowhere.stderr]).toEqual([5, expect.stringContaining('cannot be made')])
  }
  const json = await sync('verify', '--data', empty, '--json')
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: false, error: { code: 'no_data' } })
  for (const command of ['backup', 'restore', 'verify', 'repair', 'doctor', 'export']) {
    expect((await sync(command, '--help')).stdout).toContain(`usage: clawlink-sync ${command}`)
  }
})
