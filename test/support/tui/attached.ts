import type { Attached } from '../../../client/resident/attach.ts'
import type { Ran } from '../../../client/resident/run.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import type { Role } from '../../../protocol/roles.ts'
import type { Message } from '../../../workspace/messages/message.ts'
import type { World } from './world.ts'

/** A workspace in this process, without a server: what it is told to run it notes, and answers as it is told to. */
export interface Held extends Attached {
  ran: { argv: readonly string[]; stdin: string | undefined }[]
  answers: (argv: readonly string[]) => Ran | Promise<Ran>
  /** Sets parts of it, and tells those who listen. */
  set: (change: {
    me?: AgentId | null
    role?: Role
    hasUnsent?: boolean
    contact?: Attached['contact']
    unread?: readonly Message[]
    presences?: World['presences']
  }) => void
  /** Messages arrive. */
  arrive: (...messages: Message[]) => void
  closed: boolean
}

export const held = (world: World, registered = true): Held => {
  const changes = new Set<() => void>()
  const arrivals = new Set<(messages: readonly Message[]) => void>()
  let me: AgentId | null = registered ? world.agents[0]! : null
  let role: Role = 'write'
  let hasUnsent = false
  let contact: Attached['contact'] = { connected: true, since: world.now, why: null }
  let unread: readonly Message[] = []
  let { presences } = world
  const it: Held = {
    doc: world.doc,
    get me() {
      return me
    },
    get hasUnsent() {
      return hasUnsent
    },
    get role() {
      return role
    },
    where: {
      profile: 'default',
      name: 'ann',
      server: 'http://127.0.0.1:9077',
      workspace: 'default',
    },
    get contact() {
      return contact
    },
    presences: () => presences,
    unread: () => unread,
    onChange: (listener) => {
      changes.add(listener)
      return () => changes.delete(listener)
    },
    onMessages: (listener) => {
      arrivals.add(listener)
      return () => arrivals.delete(listener)
    },
    show: () => {},
    run: async (argv, stdin) => {
      it.ran.push({ argv, stdin })
      return it.answers(argv)
    },
    close: async () => {
      it.closed = true
    },
    ran: [],
    closed: false,
    answers: () => ({ code: 0, data: {}, stderr: '' }),
    set: (change) => {
      if (change.me !== undefined) me = change.me
      role = change.role ?? role
      hasUnsent = change.hasUnsent ?? hasUnsent
      contact = change.contact ?? contact
      unread = change.unread ?? unread
      presences = change.presences ?? presences
      for (const listener of changes) listener()
    },
    arrive: (...messages) => {
      for (const listener of arrivals) listener(messages)
    },
  }
  return it
}
