import {
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runSeed, seeded } from '../support/client.ts'
import { sync } from './commands.ts'
import { copyOf, dump, livedIn } from './lived-in.ts'

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes[at]! ^= 0xff
  writeFileSync(path, bytes)
}

const HITS = 20

it(`[O8] ${HITS} random damages: each is an error, or found by verify, or has changed nothing`, async () => {
  const random = seeded(runSeed('damage'))
  const { data } = await livedIn('kill')
  const whole = await dump(copyOf(data))
  const below = (n: number) => Math.floor(random() * n)
  const found = { refused: 0, reported: 0, harmless: 0 }
  // The files are restored one by one: copying all of them each time takes longer.
  const dir = copyOf(data)
  const names = readdirSync(data).filter((name) =>
    /^(CURRENT|MANIFEST.*|\d+\.(log|ldb))$/.test(name),
  )
  for (let hit = 0; hit < HITS; hit++) {
    const name = names[below(names.length)]!
    const path = join(dir, name)
    const size = statSync(join(data, name)).size
    const how = random()
    const at = below(size)
    if (how < 0.1) rmSync(path)
    else if (how < 0.25) truncateSync(path, at)
    else flip(path, at)
    const what = `${name} of ${size}, at ${at}, ${how}`
    // In a process of its own: LevelDB ends it where a damaged key is out of order (an assertion of its C++).
    const { code, stdout, stderr } = await sync('verify', '--data', dir)
    if (code === 0 && stdout.includes('all well')) {
      expect(await dump(dir), what).toEqual(whole)
      found.harmless++
    } else {
      expect(stdout + stderr, what).not.toBe('')
      if (code === 1) found.reported++
      else found.refused++
    }
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir)
    for (const one of readdirSync(data)) {
      if (one !== 'blobs') copyFileSync(join(data, one), join(dir, one))
    }
    cpSync(join(data, 'blobs'), join(dir, 'blobs'), { recursive: true })
  }
  console.log(found)
  expect(found.refused + found.reported).toBeGreaterThan(HITS / 4)
})
