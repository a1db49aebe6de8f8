import { MAX_ATTEMPTS } from '../../../protocol/limits.ts'
import { isoTime } from '../../document/schema.ts'
import type { TaskEntry } from '../tasks.ts'
import { dependencyState } from './dependencies.ts'
import { leaseOf, stepAfterLease } from './leases.ts'
import { nextOffers } from './offers.ts'
import type { Next, ReconcileView } from './world.ts'

/** The next thing that happens to an open task by itself. Changes nothing. */
export const nextEvent = (entry: TaskEntry, view: ReconcileView): Next => {
  const { facts, status } = entry
  const { owner, cancel, pending } = status
  const { now } = view.world
  const deadline = facts.deadline ?? Infinity
  if (now >= deadline) {
    const message = `its deadline, ${isoTime(deadline)}, has passed`
    return { step: { state: 'failed', message, event: 'deadline' } }
  }
  // An owner who releases or loses the task, instead of stopping, does not make others begin with it.
  if (cancel !== undefined && (owner === null || now >= cancel.until)) {
    return { step: { state: 'canceled', message: cancel.reason } }
  }
  if (owner === null) {
    const next = nextOfUnowned(entry, view)
    return 'step' in next ? next : { ...next, until: Math.min(next.until, deadline) }
  }
  const end = Math.min(deadline, cancel?.until ?? Infinity)
  if (pending) return { until: end }
  const lease = leaseOf(status, owner, view.world)
  if (now >= lease) return { step: stepAfterLease(view.doc, entry, owner) }
  return { until: Math.min(lease, end) }
}

const nextOfUnowned = (entry: TaskEntry, view: ReconcileView): Next => {
  const { ended = 0 } = entry.status
  if (ended > 0 && ended >= (entry.facts.maxAttempts ?? MAX_ATTEMPTS)) {
    const message = `it was given back or lost ${ended} times`
    return { step: { state: 'failed', message, event: 'attempts' } }
  }
  const dependencies = dependencyState(entry, view)
  if ('failed' in dependencies) {
    return { step: { state: 'failed', message: dependencies.failed, event: 'dependency' } }
  }
  return dependencies.isReady
    ? nextOffers(entry, view)
    : { until: Infinity, lookUp: dependencies.lookUp }
}
