import { hostname } from 'node:os'
import { identityOf } from '../../../client/http/credentials.ts'
import { postRegistration } from '../../../client/http/suggestions.ts'
import * as actions from '../../../workspace/actions/register.ts'
import type { Agent } from '../../../workspace/agents/agents.ts'
import { checkDisplayName } from '../../../workspace/document/validate.ts'
import { inputOf } from '../../command/action-input.ts'
import type { Verb } from '../../command/call.ts'
import { moveDefault, namesWith, readState, saveState } from '../../command/profile.ts'
import { act } from '../../command/replica-actor.ts'
import { word } from '../../command/text.ts'
import { mayEnter, openReplica, WorkspaceSession } from '../../command/workspace-session.ts'

/** `all` is what there was before there were topics: every broadcast. */
const readTopics = (list: string[]): string[] => (list.join() === 'all' ? [] : list)

export const register: Verb = async (call) => {
  const facts = inputOf(call, actions.register.input, {
    name: checkDisplayName('name', call.flag('name')!),
    capabilities: call.list('caps'),
    machine: call.flag('machine') ?? hostname(),
    description: call.text('description') ?? '',
    ...(call.has('person') && { kind: 'person' as const }),
    ...(call.has('topics') && { topics: readTopics(call.list('topics')) }),
  })
  await mayEnter(call, true)
  // Read again under the replica's lock: two first registrations at a time must not become two agents.
  await openReplica(call)
  const { state } = call.profile
  state.agent_id = readState(call.profile.dir).agent_id ?? identityOf(call.profile.dir)
  state.name = facts.name
  if (call.has('person')) state.kind = 'person'
  const id = state.agent_id
  const team = await WorkspaceSession.open(call, true)
  const isMeant = ['relay', 'server', 'workspace'].some((flag) => call.has(flag))
  const { server } = call.access
  state.names = namesWith(state, { server, workspace: call.workspace }, facts.name)
  saveState(call.profile, state)
  if (call.access.hasMoved) {
    call.notes.push(
      `${call.target.base} is another server than before; what was queued for the old one goes out when --relay reaches that`,
    )
  }
  if (isMeant || state.server === undefined) {
    call.notes.push(...moveDefault(call.profile, call.target.base, call.workspace))
  }
  const print = ({ agent }: { agent: Agent }) => ({
    data: { agent_id: id, agent, server: call.target.base, workspace: call.workspace },
    lines: [`registered ${word(agent.name)} as ${id} in ${call.workspace} of ${call.target.base}`],
  })
  if (call.access.role !== 'suggest') return act(call, actions.register, facts, print, team)
  // Its replica writes nothing: the server does.
  if (team.offline !== null) throw team.offline
  const { key } = call.idempotencyKey()
  const done = await postRegistration(call.target, call.workspace, { ...facts, by: id }, key)
  await team.confirm()
  return print(done)
}
