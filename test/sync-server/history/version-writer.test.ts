import { expect, it } from 'vitest'
import type { FileId } from '../../../protocol/ids.ts'
import { MAX_FILE_BYTES, MAX_VERSION } from '../../../protocol/limits.ts'
import {
  MAX_KEPT_VERSION_BYTES,
  MAX_KEPT_VERSIONS,
  MAX_VERSION_STEPS,
} from '../../../sync-server/config/limits.ts'
import { TextCache } from '../../../sync-server/history/versions/cache.ts'
import { readContent } from '../../../sync-server/history/versions/read.ts'
import { readAbout, readHead } from '../../../sync-server/history/versions/record.ts'
import { writeVersions } from '../../../sync-server/history/versions/write.ts'
import { LevelUpdateLog } from '../../../sync-server/storage/level-update-log.ts'
import type { FileContentState } from '../../../workspace/files/file-state.ts'
import { runSeed, seeded } from '../../support/client.ts'
import { tempDir } from '../../support/server.ts'

const state = (version: number, content: string, fileId = 'f'): FileContentState => ({
  fileId: fileId as FileId,
  version,
  path: null,
  content,
  editors: [],
})

/** A log to write versions of `f` to, and what it then has of them. */
const openVersions = async (cacheUnits: number) => {
  const log = await LevelUpdateLog.open(tempDir('versions'), () => 0)
  const { versions } = log
  const cache = new TextCache(cacheUnits)
  return {
    write: (...states: FileContentState[]) =>
      writeVersions(
        versions,
        'w',
        states.map((state) => ({ state, at: 1 })),
        cache,
      ),
    read: async (version: number) => {
      const [found] = await versions.abouts('w', 'f', version, version, 1)
      return readContent(versions, 'w', 'f', readAbout(found!.about).base, version)
    },
    kept: async () => {
      const found = await versions.abouts('w', 'f', 0, MAX_VERSION, 1e6)
      return found.map(({ version, about }) => ({ version, ...readAbout(about) }))
    },
    head: async () => readHead((await versions.head('w', 'f'))!),
    close: () => log.close(),
  }
}

it('[VERSION-3] [VERSION-6] keeps the newest versions up to the limit, each readable by few deltas, in little more than was typed', async () => {
  const random = seeded(runSeed('retention'))
  const file = await openVersions(1e6)
  const lines = Array.from({ length: 400 }, (_, i) => `line ${i} of the file\n`)
  const texts = new Map<number, string>()
  const batch: FileContentState[] = []
  let typed = 0
  let version = 0
  while (texts.size < MAX_KEPT_VERSIONS + 150) {
    const edit = `edit ${version}\n`
    lines[Math.floor(random() * lines.length)] = edit
    typed += edit.length
    version += random() < 0.1 ? 3 : 1
    texts.set(version, lines.join(''))
    batch.push(state(version, lines.join('')))
    if (random() < 0.5) await file.write(...batch.splice(0))
  }
  await file.write(...batch)
  const kept = await file.kept()
  expect(kept.length).toBeLessThanOrEqual(MAX_KEPT_VERSIONS)
  expect(kept.length).toBeGreaterThanOrEqual(MAX_KEPT_VERSIONS - MAX_VERSION_STEPS)
  expect(kept.map(({ version }) => version)).toEqual([...texts.keys()].slice(-kept.length))
  for (const { version } of kept) expect(await file.read(version)).toBe(texts.get(version))
  const steps = kept.map(({ base }) => kept.filter((other) => other.base === base).length - 1)
  expect(Math.max(...steps)).toBeLessThanOrEqual(MAX_VERSION_STEPS)
  const bytes = kept.reduce((sum, { bytes }) => sum + bytes, 0)
  expect(await file.head()).toMatchObject({ version, count: kept.length, bytes })
  // Of each version: what was typed and where, twice at most; and a hundredth of the text.
  const size = lines.join('').length
  expect(bytes).toBeLessThan(2 * (typed + 16 * kept.length) + (kept.length / 100 + 2) * size)
  await file.close()
})

it('[VERSION-3] goes by bytes, too: rewritten files of the largest size', async () => {
  const random = seeded(runSeed('bytes'))
  const file = await openVersions(0) // nothing cached: each is read from disk
  const word = () => Math.floor(random() * 2 ** 32).toString(36)
  const texts: string[] = ['']
  for (let version = 1; version <= 7; version++) {
    const text = `${Array.from({ length: 60_000 }, word).join('\n')}\n`.repeat(9)
    texts.push(text.slice(0, MAX_FILE_BYTES - version))
    await file.write(state(version, texts[version]!))
  }
  const kept = await file.kept()
  expect(kept.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(
    MAX_KEPT_VERSION_BYTES,
  )
  expect(kept.length).toBeGreaterThan(2)
  expect(kept.at(-1)!.version).toBe(7)
  for (const { version } of kept) expect(await file.read(version)).toBe(texts[version])
  await file.close()
})

it('[VERSION-1] passes over what is not newer, and over numbers that are no versions', async () => {
  const file = await openVersions(1e6)
  await file.write(state(3, 'three'))
  for (const version of [0, -1, 1.5, Number.NaN, 1e300, 1, 3]) {
    await file.write(state(version, 'other'))
  }
  await file.write(state(4, 'three and four'), state(2, 'other'), state(1, 'of another', 'g'))
  expect((await file.kept()).map(({ version, previous }) => [version, previous])).toEqual([
    [3, 0],
    [4, 3],
  ])
  expect([await file.read(3), await file.read(4)]).toEqual(['three', 'three and four'])
  await file.close()
})
