import { damageAtRandom } from '../support/ops/damages.ts'
import { livedIn } from '../support/ops/lived-in.ts'

/** Random damages of a data folder, 50 by each seed: `npm run proof -- damage [SEEDS [SEED]]`. */
const [seeds = 20, first = 1] = process.argv.slice(2).map(Number)
const HITS = 50

const { data } = await livedIn('kill')
const total = { refused: 0, reported: 0, harmless: 0 }
for (let seed = first; seed < first + seeds; seed++) {
  const found = await damageAtRandom(data, HITS, seed)
  for (const what of ['refused', 'reported', 'harmless'] as const) total[what] += found[what]
}
console.log(`${seeds * HITS} damages from seed ${first}, none unnoticed:`, total)
