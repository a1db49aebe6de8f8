import type { ToJudge, ToSuggest } from '../../workspace/actions/file-actor.ts'
import type { Agent } from '../../workspace/agents/agents.ts'
import type { SuggestionDetail } from '../../workspace/files/suggestions.ts'
import { type Answer, call } from './call.ts'
import { notClawLink } from './middlebox.ts'
import type { ServerAt } from './target.ts'

/** Covers a merge of long texts. */
const TIMEOUT_MS = 30_000

interface Answered {
  suggestion: SuggestionDetail
}

const ask = async (
  server: ServerAt,
  method: 'GET' | 'POST',
  path: string,
  body: object | undefined,
  key?: string,
): Promise<Answered> => {
  const answer = (await call(server, method, path, body, TIMEOUT_MS, key)) as Answer<Answered>
  if (typeof answer?.data?.suggestion?.suggestion_id === 'string') return answer.data
  throw notClawLink(server.base, 'it knows no suggestions')
}

/** Has the server file a proposal of the agent `by`. Throws the server's error. */
export const postSuggestion = (
  server: ServerAt,
  workspace: string,
  proposal: ToSuggest & { by: string },
  key: string,
): Promise<Answered> =>
  ask(server, 'POST', `/api/workspaces/${workspace}/suggestions`, proposal, key)

/** Has the server accept hunks of a suggestion, or reject what waits of it. */
export const postJudgement = (
  server: ServerAt,
  workspace: string,
  what: 'accept' | 'reject',
  { suggestion, ...input }: ToJudge & { by: string; key: string },
): Promise<Answered> => {
  const at = `/api/workspaces/${workspace}/suggestions/${encodeURIComponent(suggestion)}`
  return ask(server, 'POST', `${at}/${what}`, input)
}

/** One suggestion, live or ended, with its hunks. Throws `unknown_suggestion`. */
export const getServerSuggestion = async (
  server: ServerAt,
  workspace: string,
  id: string,
): Promise<SuggestionDetail> => {
  const path = `/api/workspaces/${workspace}/suggestions/${encodeURIComponent(id)}`
  return (await ask(server, 'GET', path, undefined)).suggestion
}

/** Registers an agent whose replica may not do it. Throws the server's error. */
export const postRegistration = async (
  server: ServerAt,
  workspace: string,
  facts: object,
  key: string,
): Promise<{ agent: Agent }> => {
  const path = `/api/workspaces/${workspace}/register`
  const answer = (await call(server, 'POST', path, facts, TIMEOUT_MS, key)) as Answer<{
    agent: Agent
  }>
  if (typeof answer?.data?.agent?.agent_id === 'string') return answer.data
  throw notClawLink(server.base, 'nobody can register there')
}
