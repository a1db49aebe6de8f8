import { strictEqual } from 'node:assert'
import { tempDir } from '../support/server.ts'
import { lostSights } from '../support/sync-server/seen-edits.ts'

/** kill -9 right after a second client saw an edit: `npm run proof -- seen [KILLS]`. */
const kills = Number(process.argv[2] ?? 200)

const began = performance.now()
const lost = await lostSights(tempDir('seen'), kills)
const seconds = Math.round((performance.now() - began) / 1000)
console.log(`${kills} kills in ${seconds} s: ${lost} edits lost`)
strictEqual(lost, 0)
