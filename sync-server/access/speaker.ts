/**
 * Who a connection or a request speaks for: the owner of the server, who may say anything in any name, or one agent in
 * one workspace.
 */
export type Speaker =
  | { readonly kind: 'owner' }
  | {
      readonly kind: 'agent'
      readonly agent: string
      readonly workspace: string
      readonly role: 'read' | 'write' | 'admin'
    }

export const OWNER: Speaker = { kind: 'owner' }

/** The agent whose words it may pass on; null: anybody's. */
export const agentOf = (speaker: Speaker): string | null =>
  speaker.kind === 'owner' ? null : speaker.agent

export const nameOf = (speaker: Speaker): string =>
  speaker.kind === 'owner' ? 'the owner' : `${speaker.agent} of ${speaker.workspace}`
