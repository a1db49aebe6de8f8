import type { Role } from '../../../protocol/roles.ts'
import { hashOf } from '../../../sync-server/auth/stored/secrets.ts'
import { ask, bearer, invite, type Member } from '../auth/members.ts'
import { startNodes, type TestNode, type TestNodes } from './nodes.ts'

/** Two nodes, and who joined the workspace `docs`. */
export interface TwoNodes {
  all: TestNodes
  front: TestNode
  /** The owner of `docs`. */
  owner: TestNode
  ann: Member
  /** The nodes find the workspace of a secret that one of them made. */
  known: <T extends string | Member>(secret: T) => T
  /** Joins `docs` at its owner. */
  joined: (agent: string, role?: Role) => Promise<Member>
}

export const twoNodes = async (...args: string[]): Promise<TwoNodes> => {
  const all = await startNodes(2, ...args)
  const [front, owner] = all.nodes as [TestNode, TestNode]
  all.cluster.owners.set('docs', owner.id).set('default', front.id)
  const known = <T extends string | Member>(secret: T): T => {
    all.cluster.secrets.set(hashOf(typeof secret === 'string' ? secret : secret.token), 'docs')
    return secret
  }
  const joined = async (agent: string, role: Role = 'write'): Promise<Member> => {
    const secret = known(await invite(owner, { workspace: 'docs', role }))
    const body = { invite: secret, agent_id: agent }
    const { data } = await ask<{ credential: string }>(owner, '/api/join', body)
    return known({ agent, token: data.credential, headers: bearer(data.credential) })
  }
  return { all, front, owner, ann: await joined('a-ann'), known, joined }
}
