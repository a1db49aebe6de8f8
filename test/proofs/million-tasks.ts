import { liveThrough } from '../support/task-life.ts'

/** What a workspace's tasks leave behind: `npm run proof -- million-tasks [N]`. */
const most = Number(process.argv[2] ?? 1_000_000)
const marks = [1_000, 2_000, 10_000, 100_000, 1_000_000].filter((mark) => mark < most)
const began = performance.now()
liveThrough([...marks, most], ({ tasks, document, stateVector, archived, heap }) => {
  const kib = (document / 1024).toFixed(0)
  const seconds = ((performance.now() - began) / 1000).toFixed(0)
  console.log(
    `after ${tasks} tasks (${archived} archived): document ${kib} KiB, state vector ${stateVector} B, heap ${heap} MiB, ${seconds} s`,
  )
})
