// One of several processes that race for the same tasks: argv = server URL, agent id. It says "ready", goes for the
// first of the task ids that come in a line on stdin, says "begun", and goes for the others at the next line.
import { createInterface } from 'node:readline'

const [url, agent] = process.argv.slice(2)
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
process.stdout.write('ready\n')
const tasks = (await lines.next()).value.split(' ')
const outcomes = {}
const next = async () => {
  const task = tasks.shift()
  const answer = await fetch(`${url}/api/workspaces/default/tasks/${task}/status`, {
    method: 'POST',
    headers: { authorization: `Bearer ${process.env[`TEST_TOKEN_${new URL(url).port}`]}` },
    body: JSON.stringify({ by: agent, state: 'working', key: `${agent}-${task}` }),
  })
  await answer.arrayBuffer()
  outcomes[task] = answer.status
}
const rest = async () => {
  while (tasks.length > 0) await next()
}
await next()
process.stdout.write('begun\n')
await lines.next()
await Promise.all(Array.from({ length: 8 }, rest))
process.stdout.write(JSON.stringify(outcomes))
