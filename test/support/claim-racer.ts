// One of several processes that race for the same tasks: argv = server URL, workspace, agent id. It says "ready", starts
// when something comes on stdin, and prints what it got and how long each command took.
import { once } from 'node:events'
import { postNext } from '../../client/http/api.ts'
import { ClawError } from '../../protocol/errors.ts'
import { targetOf } from './server.ts'

const [url, workspace, by] = process.argv.slice(2) as [string, string, string]
process.stdout.write('ready\n')
await once(process.stdin, 'data')
const claimed: string[] = []
const times: number[] = []
for (;;) {
  const began = performance.now()
  try {
    const { task } = await postNext(targetOf(url), workspace, { by, key: `${by}-${times.length}` })
    times.push(performance.now() - began)
    claimed.push(task.task_id)
  } catch (error) {
    if (error instanceof ClawError && error.code === 'nothing_to_claim') break
    throw error
  }
}
process.stdout.write(JSON.stringify({ claimed, times }), () => process.exit(0))
