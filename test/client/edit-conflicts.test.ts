import { afterEach, expect, it } from 'vitest'
import { EditConflicts, splitOverlaps } from '../../client/replica/edit-conflicts.ts'
import { Replica } from '../../client/replica/replica.ts'
import type { AgentId, FileId } from '../../protocol/ids.ts'
import { registerAgent } from '../../workspace/agents/agents.ts'
import { readFile } from '../../workspace/files/file-info.ts'
import { putFile } from '../../workspace/files/put-file.ts'
import { tempDir } from '../support/server.ts'
import { agentId, send } from '../support/workspace/replicas.ts'

const [ann, bob] = [agentId('ann'), agentId('bob')]
const BASE = 'one\ntwo\nthree\nfour\n'
const opened: Replica[] = []

const open = async (
  dir = tempDir('replica'),
): Promise<{ replica: Replica; overlaps: EditConflicts }> => {
  const replica = await Replica.open(dir, () => {})
  opened.push(replica)
  return { replica, overlaps: new EditConflicts(replica) }
}
type Side = Awaited<ReturnType<typeof open>>

let a: Side
let b: Side
afterEach(async () => {
  for (const replica of opened.splice(0)) await replica.close()
})

const edit = ({ replica, overlaps }: Side, by: AgentId, from: string, to: string): void => {
  const { doc } = replica
  const base = readFile(doc, 'f').content
  const put = { key: 'f', content: base.replace(from, to), base, by, now: 2 }
  overlaps.watch('f' as FileId, putFile(doc, put).lines)
}

const started = async (): Promise<void> => {
  a = await open()
  b = await open()
  const { doc } = a.replica
  for (const id of [ann, bob]) {
    registerAgent(doc, { id, name: id, capabilities: [], machine: '', description: '', now: 1 })
  }
  putFile(doc, { key: 'f', content: BASE, base: null, by: ann, now: 1 })
  send(doc, b.replica.doc)
}

it('[FILE-17] who comes second sees that a line was changed by both', async () => {
  await started()
  edit(a, ann, 'two', 'two, says Ann')
  edit(b, bob, 'two', 'two: Bob')
  send(a.replica.doc, b.replica.doc)
  expect(b.overlaps.take()).toEqual([{ file_key: 'f', from_line: 2, to_line: 2, by: ann }])
  expect(b.overlaps.take()).toEqual([])
})

it('[FILE-17] [STALE-4] what is confirmed is no longer watched, and other lines are no overlap, only close', async () => {
  await started()
  edit(a, ann, 'two', 'TWO')
  edit(b, bob, 'three', 'THREE')
  send(a.replica.doc, b.replica.doc)
  expect(splitOverlaps(b.overlaps.take())).toEqual({
    conflicts: [],
    together: [
      {
        ...{ file_key: 'f', by: ann, symbol: null, lines: { from_line: 3, to_line: 3 } },
        others: { from_line: 2, to_line: 2 },
      },
    ],
  })
  edit(b, bob, 'four', 'FOUR')
  b.overlaps.take()
  edit(a, ann, 'four', 'four!')
  send(a.replica.doc, b.replica.doc)
  expect(b.overlaps.take()).toEqual([])
})

it('[FILE-17] whole lines inserted at one place do not overlap; a removed line that was edited does', async () => {
  await started()
  edit(a, ann, 'four\n', 'four\nAnn\n')
  edit(b, bob, 'four\n', 'four\nBob\n')
  send(a.replica.doc, b.replica.doc)
  expect(splitOverlaps(b.overlaps.take()).conflicts).toEqual([])
  send(b.replica.doc, a.replica.doc)
  a.overlaps.take()

  edit(a, ann, 'two\n', '')
  edit(b, bob, 'two', 'two and a half')
  send(a.replica.doc, b.replica.doc)
  expect(b.overlaps.take()).toMatchObject([{ from_line: 2, by: ann }])
})

it('[FILE-17] what is watched and what was found survives a restart', async () => {
  await started()
  const dir = tempDir('replica')
  const first = await open(dir)
  send(b.replica.doc, first.replica.doc)
  edit(first, bob, 'two', 'two: Bob')
  await first.replica.close()

  edit(a, ann, 'two', 'two, says Ann')
  const second = await open(dir)
  send(a.replica.doc, second.replica.doc)
  await second.replica.close()
  expect((await open(dir)).overlaps.take()).toMatchObject([{ from_line: 2, by: ann }])
})
