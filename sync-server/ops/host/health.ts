import type { Caller } from '../../sync/principal.ts'

/** The troubles of a server, as its routes know them. */
export interface Troubles {
  trouble: () => string | null
  damage: () => string | null
  failed: () => readonly string[]
}

/**
 * The server's state. Callers with a credential also get a reason; the reason names a failed
 * workspace only to its members and to the owner.
 */
export const stateOf = (
  env: Troubles,
  by: Caller | null,
): { status: 'ok' | 'degraded' | 'unavailable'; reason?: string } => {
  const trouble = env.trouble() ?? env.damage()
  if (trouble !== null) return { status: 'unavailable', ...(by !== null && { reason: trouble }) }
  const failed = env.failed()
  if (failed.length === 0) return { status: 'ok' }
  const told = failed.filter((name) => by?.kind === 'owner' || by?.workspace === name)
  const reason = `failed, and not served for a while: workspace ${told.join(', ')}`
  return { status: 'degraded', ...(told.length > 0 && { reason }) }
}
