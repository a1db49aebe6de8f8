import * as Y from 'yjs'
import { Session } from '../../client/session/session.ts'
import type { Presence } from '../../workspace/agents/presence.ts'
import type { Mirrors } from '../mirror/mirrors.ts'
import type { Listening, Wanted } from '../session/listening.ts'
import { WorkspaceHandle } from '../session/workspace-handle.ts'
import type { Call } from './call.ts'

/** Runs commands: a link, which keeps their workspaces open, or a process of one command. */
export interface Runtime {
  /** The link that this is. */
  readonly link: LinkFace | null
  /** Opens a call's place, for it alone until `leave`. */
  enter: (call: Call) => Promise<{ place: WorkspaceHandle; leave: () => Promise<void> }>
  /** Begins to listen at a place for something that is wanted, also after the call has left it. */
  listen: (place: WorkspaceHandle, presence: Presence | null, wanted: Wanted) => Listening
}

interface OpenWorkspace {
  profile: string
  handle: WorkspaceHandle
  mirrors: Mirrors | null
}

/** The link as seen by the verbs about it. */
export interface LinkFace {
  /** The open workspaces, with the folder of the profile and its mirrors; null if no agent is registered. */
  workspaces: () => readonly OpenWorkspace[]
  pid: number
  version: string
  /** Milliseconds since the epoch. */
  since: number
  /** Releases a profile's workspaces, so that others see it leave. */
  leave: (profileDir: string) => Promise<number>
  /** Has the link leave everything and stop, once this command is answered. */
  stop: () => void
  /** Takes up a profile's new settings for waking its agent. */
  rewake: (profileDir: string) => void
}

/** One process, one command: a place is opened for it and closed after it. */
export const inProcess: Runtime = {
  link: null,
  enter: async (call) => {
    const place = await WorkspaceHandle.open(call.at, (line) => call.notes.push(line))
    return { place, leave: () => place.close() }
  },
  /** Listens with a copy of the document, under a Yjs client id that writes nothing: other commands can go on. */
  listen: ({ at, replica }, presence) => {
    const known = Y.encodeStateAsUpdate(replica.doc)
    return {
      end: () => {},
      heard: (signal) =>
        new Promise((resolve) => {
          const doc = new Y.Doc()
          Y.applyUpdate(doc, known)
          const copy = { doc, commit: async () => {} }
          const session = new Session(at.target, at.workspace, copy, presence)
          const end = () => {
            signal.removeEventListener('abort', end)
            session.close()
            doc.destroy()
            resolve(true)
          }
          doc.once('update', end)
          signal.addEventListener('abort', end)
          if (signal.aborted) end()
        }),
    }
  },
}
