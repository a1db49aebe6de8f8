import { expect, it } from 'vitest'
import { runAuthors } from '../../support/authors/run.ts'
import { runSeed } from '../../support/client.ts'

it('[BLAME-4] [BLAME-9] [BLAME-13] of random edits on sockets, in the TUI, by HTTP, undo and accepting, with forged frames and kill -9 between, no author is wrong', async () => {
  const outcome = await runAuthors({
    ...{ seed: runSeed('authors'), edits: 2_500, restarts: 4, burst: 60, withMirror: false },
  })
  expect(outcome.characters).toBeGreaterThan(1_000)
  expect(outcome.operations).toBeGreaterThan(10_000)
  expect(outcome.httpEdits).toBeGreaterThan(5)
  expect(outcome.tuiEdits).toBeGreaterThan(5)
  expect(outcome.undos + outcome.accepted).toBeGreaterThan(0)
  expect(outcome.together).toBeGreaterThan(100)
  expect(outcome.planted).toBeGreaterThan(30)
})
