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
import { verifyFolder } from '../../../sync-server/ops/verify/verify.ts'
import { seeded } from '../client.ts'
import { copyOf, dump } from './lived-in.ts'

const flip = (path: string, at: number): void => {
  const bytes = readFileSync(path)
  bytes[at]! ^= 0xff
  writeFileSync(path, bytes)
}

export type Found = Record<'refused' | 'reported' | 'harmless', number>

/**
 * Damages a data folder at random, so many times, and has it verified each time: that refuses it, reports what is wrong, or
 * else nothing has changed. Throws where it is none of these. LevelDB would end this very process at what got past.
 */
export const damageAtRandom = async (data: string, hits: number, seed: number): Promise<Found> => {
  const random = seeded(seed)
  const below = (n: number) => Math.floor(random() * n)
  const found: Found = { refused: 0, reported: 0, harmless: 0 }
  const whole = await dump(copyOf(data))
  // The files are restored one by one: copying all of them each time takes longer.
  const dir = copyOf(data)
  const names = readdirSync(data).filter((name) =>
    /^(CURRENT|MANIFEST.*|\d+\.(log|ldb))$/.test(name),
  )
  for (let hit = 0; hit < hits; hit++) {
    const name = names[below(names.length)]!
    const path = join(dir, name)
    const size = statSync(join(data, name)).size
    const how = random()
    const at = below(size)
    if (how < 0.1) rmSync(path)
    else if (how < 0.25) truncateSync(path, at)
    else flip(path, at)
    try {
      const { problems } = await verifyFolder(dir)
      if (problems.length > 0) found.reported++
      else {
        const now = await dump(dir)
        const isSame =
          now.size === whole.size && [...now].every(([key, value]) => whole.get(key) === value)
        if (!isSame)
          throw new Error(`seed ${seed}: ${name} of ${size}, at ${at}, ${how}: unnoticed`)
        found.harmless++
      }
    } catch (error) {
      if ((error as Error).message.endsWith('unnoticed')) throw error
      found.refused++
    }
    rmSync(dir, { recursive: true, force: true })
    mkdirSync(dir)
    for (const one of readdirSync(data)) {
      if (one !== 'blobs') copyFileSync(join(data, one), join(dir, one))
    }
    cpSync(join(data, 'blobs'), join(dir, 'blobs'), { recursive: true })
  }
  return found
}
