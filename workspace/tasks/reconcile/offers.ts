import type { AgentId } from '../../../protocol/ids.ts'
import { agentName } from '../../agents/agents.ts'
import { candidates } from '../task-routing.ts'
import { offersOf, push } from '../task-write.ts'
import { historyOf, type TaskEntry } from '../tasks.ts'
import type { Next, ReconcileView } from './world.ts'

/** Agents that are asked at once to take a task (count); the first to claim it owns it. */
const OFFER_WIDTH = 3

/** The agents to ask now and when to ask more of them, or the rejection when nobody is left. */
export const nextOffers = (entry: TaskEntry, view: ReconcileView): Next => {
  const { record, facts, status } = entry
  if (record === null) return { until: Infinity }
  const { now, offerMs } = view.world
  const offers = offersOf(record).filter(({ token }) => token === status.token)
  if (facts.to !== null) {
    // A record of before there were offers: its addressee knows of it.
    const isNew = offers.length === 0 && !record.has('past')
    return { until: Infinity, ask: isNew ? [facts.to] : [] }
  }
  const { declined = [] } = status
  const open = offers.filter(({ to }) => !declined.includes(to))
  const last = Math.max(-Infinity, ...offers.map(({ at }) => at))
  if (open.length >= OFFER_WIDTH && now < last + offerMs) return { until: last + offerMs }
  const all = candidates(view.doc, entry, view.agents, view.records)
  if (all.length === 0) {
    const wasAsked = declined.length > 0 && offersOf(record).length > 0
    if (!wasAsked || !haveDeclined(entry, declined)) return { until: Infinity }
    const message = whyNobody(entry, view)
    return { step: { state: 'rejected', message, event: 'no-candidate' } }
  }
  const asked = new Set(offers.map(({ to }) => to))
  const rest = all.filter((id) => !asked.has(id))
  const width = now >= last + offerMs ? OFFER_WIDTH : Math.max(0, OFFER_WIDTH - open.length)
  const ask = rest.slice(0, width)
  if (rest.length === ask.length) return { until: Infinity, ask }
  return { until: (ask.length > 0 ? now : last) + offerMs, ask }
}

/** Agents who released the task may take it again: only `declined` is a no. */
const haveDeclined = (entry: TaskEntry, all: readonly AgentId[]): boolean => {
  const said = historyOf(entry).filter(({ event }) => event === 'declined')
  const refused = new Set(said.map(({ by }) => by))
  return all.every((id) => refused.has(id))
}

const whyNobody = (entry: TaskEntry, { doc }: ReconcileView): string => {
  const said = historyOf(entry).filter(({ event }) => event === 'declined' || event === 'released')
  const reasons = said.map(({ by, message }) => `${agentName(doc, by)}: ${message || 'no reason'}`)
  return `nobody is left who could take it (${reasons.join('; ')})`
}

/** Asks an agent to take a task. */
export const askToTake = ({ record, status }: TaskEntry, to: AgentId, now: number): void => {
  if (record !== null) push(record, 'offers', { to, at: now, token: status.token })
}
