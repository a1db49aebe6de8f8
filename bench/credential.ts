import { existsSync, readFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { WebSocket } from 'ws'
import { runDirsOf, runFileOf } from '../protocol/roles.ts'

/** What a clawlink-sync leaves for its own user's programs; null: none listens there. */
const inviteOf = (port: number): string | null => {
  const dirs = runDirsOf(process.env, tmpdir(), userInfo().uid)
  for (const path of dirs.map((dir) => runFileOf(dir, port))) {
    if (!existsSync(path)) continue
    const left = JSON.parse(readFileSync(path, 'utf8')) as { token: string; pid: number }
    // Of one that was killed, it may be that another contender has its port now.
    if (existsSync(`/proc/${left.pid}`)) return left.token
  }
  return null
}

/** By invite, so by server. */
const credentials = new Map<string, Promise<string>>()

/** Joins as the user's own programs do, so that what a server checks of its members is measured. */
const join = async (port: number, workspace: string, invite: string): Promise<string> => {
  const agent_id = `a-bench-${process.pid}`
  const answer = await fetch(`http://127.0.0.1:${port}/api/join`, {
    method: 'POST',
    body: JSON.stringify({ invite, agent_id, workspace, create: true }),
  })
  const { data } = (await answer.json()) as { data: { credential: string } }
  return data.credential
}

/** What a client shows to the server on this port; null: it is none of ours, and takes whoever comes. */
export const credentialFor = async (port: number, workspace: string): Promise<string | null> => {
  const invite = inviteOf(port)
  if (invite === null) return null
  const known = credentials.get(`${invite} ${workspace}`) ?? join(port, workspace, invite)
  credentials.set(`${invite} ${workspace}`, known)
  return known
}

export const bearer = (credential: string | null): { authorization?: string } =>
  credential === null ? {} : { authorization: `Bearer ${credential}` }

/** WebSockets that show this, for a stock provider. */
export const socketWith = (credential: string | null): typeof globalThis.WebSocket =>
  class extends WebSocket {
    constructor(address: string | URL) {
      super(address, [], { headers: bearer(credential) })
    }
  } as unknown as typeof globalThis.WebSocket
