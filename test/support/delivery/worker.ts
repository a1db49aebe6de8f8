import { createInterface } from 'node:readline'
import { getArchive, getTaskArchive } from '../../../client/http/api.ts'
import { Replica } from '../../../client/replica/replica.ts'
import { Session } from '../../../client/session/session.ts'
import type { AgentId, BroadcastId, TaskId } from '../../../protocol/ids.ts'
import { registerAgent } from '../../../workspace/agents/agents.ts'
import { acknowledge, receive, welcome } from '../../../workspace/inbox/mailbox.ts'
import { addBroadcast } from '../../../workspace/messages/broadcasts.ts'
import { addTask } from '../../../workspace/tasks/tasks.ts'
import { targetOf } from '../server.ts'

/** What this agent is told to do; it says what it did, each thing once it is on its disk. */
export type Order =
  | { do: 'join' | 'poll' | 'settle' }
  | { do: 'send'; id: string; to: string | null }

export type Said = { sent: string } | { handed: string[] } | { acked: string[] } | { done: number }

const [dir, url, workspace, id, skew] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
]
const me = id as AgentId
const now = () => Date.now() + Number(skew)
const say = (said: Said) => process.stdout.write(`${JSON.stringify(said)}\n`)

// What libraries remark must not stand between the lines.
console.log = console.error
const replica = await Replica.open(dir, (line) => process.stderr.write(`${line}\n`))
const { doc } = replica
const target = targetOf(url)
const session = new Session(target, workspace, replica, null)

const settle = async (): Promise<void> => {
  for (;;) {
    try {
      await session.synced(60_000)
      return await session.barrier(60_000)
    } catch {
      // The session dials on, and fails whoever waits no more often than it dials.
    }
  }
}

const send = (id: string, to: string | null): void => {
  const from = me
  if (id.startsWith('t-')) {
    const task = {
      description: id,
      context: null,
      priority: 'normal',
      from,
      to: to as AgentId,
    } as const
    addTask(doc, { id: id as TaskId, ...task, now: now() })
  } else {
    const said = { from, to: (to as AgentId) ?? undefined, content: id, topic: '', tags: [] }
    addBroadcast(doc, { id: id as BroadcastId, ...said, now: now() })
  }
}

const poll = async (): Promise<void> => {
  const here = { present: new Set<AgentId>(), now: now() }
  await receive(replica, me, here, {
    broadcasts: (after) => getArchive(target, workspace, after),
    tasks: (after) => getTaskArchive(target, workspace, after, me),
  })
  await replica.commit()
  const waiting = await replica.inbox(me)
  const ids = waiting.map(({ message }) => message.message_id)
  say({ handed: ids })
  acknowledge(replica, me, waiting, now())
  await replica.commit()
  say({ acked: ids })
}

const carryOut = async (order: Order): Promise<void> => {
  if (order.do === 'join') {
    await session.synced(60_000)
    doc.transact(() => {
      registerAgent(doc, {
        id: me,
        name: id,
        capabilities: [],
        machine: '',
        description: '',
        now: now(),
      })
      welcome(replica, me, now())
    })
    await settle()
  } else if (order.do === 'send') {
    send(order.id, order.to)
    await replica.commit()
    say({ sent: order.id })
  } else {
    await (order.do === 'poll' ? poll() : settle())
  }
}

let done = 0
for await (const line of createInterface(process.stdin)) {
  await carryOut(JSON.parse(line) as Order)
  say({ done: ++done })
}
// Who gave the orders is gone.
process.exit(0)
