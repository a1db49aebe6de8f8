import { ClawError } from '../../protocol/errors.ts'
import type { Credential } from './records.ts'

/** The secret was valid once, so showing it is no guess. */
export class Ended extends ClawError {}

/** The error for a revoked credential. */
export const revoked = ({ agent, workspace }: Pick<Credential, 'agent' | 'workspace'>): ClawError =>
  new Ended(
    'revoked',
    `the credential of ${agent} in ${workspace} was revoked`,
    `ask who runs the server for a link in its place: clawlink-sync rotate ${agent}`,
  )

export const replaced = ({ agent, workspace }: Pick<Credential, 'agent' | 'workspace'>) =>
  new Ended(
    'revoked',
    `this credential of ${agent} in ${workspace} was replaced by a newer one`,
    'it has joined anew elsewhere; where that was not meant: clawlink-agent join -',
  )

export const forged = (message: string): ClawError =>
  new ClawError('forged', message, 'each agent joins, or registers, by itself')

export const unknownCredential = (): ClawError =>
  new ClawError(
    'unauthorized',
    'this server does not know that credential',
    'join with a link from who runs the server: clawlink-agent join -',
  )

export const taken = (agent: string): ClawError =>
  new ClawError(
    'not_allowed',
    `${agent} has a credential, or had one, and is not to be had by this invite`,
    `who runs the server can make a link for it: clawlink-sync rotate ${agent}`,
  )

export const tooManyAgents = (most: number): ClawError =>
  new ClawError(
    'quota',
    `${most} agents are registered with this token`,
    'register under the agent_id that you had, or ask for another token',
  )
