import { ClawError } from '../../../protocol/errors.ts'
import type { Credential } from './records.ts'

/** The secret was valid once; showing it does not count as a guess. */
export class Ended extends ClawError {}

/** The error for a revoked credential. */
export const revoked = ({ agent, workspace }: Pick<Credential, 'agent' | 'workspace'>): ClawError =>
  new Ended(
    'revoked',
    `the credential of ${agent} in ${workspace} was revoked`,
    `ask the operator for a new link: clawlink-sync rotate ${agent}`,
  )

export const replaced = ({ agent, workspace }: Pick<Credential, 'agent' | 'workspace'>) =>
  new Ended(
    'revoked',
    `this credential of ${agent} in ${workspace} was replaced by a newer one`,
    'it joined again elsewhere; if that was a mistake: clawlink-agent join -',
  )

export const forged = (message: string): ClawError =>
  new ClawError('forged', message, 'each agent must join or register on its own')

export const unknownCredential = (): ClawError =>
  new ClawError(
    'unauthorized',
    'this server does not know that credential',
    'join with a link from the operator of the server: clawlink-agent join -',
  )

export const taken = (agent: string): ClawError =>
  new ClawError(
    'not_allowed',
    `the id ${agent} is already taken in this workspace; this invite cannot reclaim it`,
    `ask the operator to run: clawlink-sync rotate ${agent}`,
  )

export const tooManyAgents = (most: number): ClawError =>
  new ClawError(
    'quota',
    `${most} agents are registered with this token`,
    'register with the agent_id that you had, or ask for another token',
  )

/** The workspace of a secret that a node does not know may be another node's since a moment ago. */
export const moved = (): ClawError =>
  new ClawError('moved', 'another node serves this workspace now', 'try again', 1)
