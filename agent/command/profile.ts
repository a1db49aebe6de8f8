import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Access } from '../../client/http/credentials.ts'
import type { Target } from '../../client/http/target.ts'
import { homeOf } from '../../client/resident/socket.ts'
import { writeLocal } from '../../lib/disk/local-write.ts'
import { makeOwnDir } from '../../lib/disk/own-file.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import type { Intent, Presence } from '../../workspace/agents/presence.ts'

/** `agent_state.json`: who this profile is, and where its team is. */
export interface AgentState {
  agent_id?: AgentId
  /** The name that it registered last; `names` has those of other workspaces. */
  name?: string
  /** Its names, by server and workspace (`nameAt`). */
  names?: Readonly<Record<string, string>>
  /** `register --person` says that it is one; left out: an agent. */
  kind?: 'person'
  server?: string
  workspace?: string
  /** Set by `status --set`. */
  activity?: { note: string; task?: string } | undefined
  /** Set by `file-intent`. */
  intents?: Intent[]
}

/** One identity on this machine. Two sessions with two profiles are two agents. */
export interface Profile {
  name: string
  dir: string
  state: AgentState
}

const DEFAULT_PROFILE = 'default'
const STATE_FILE = 'agent_state.json'

/**
 * The profile `name` below `CLAWLINK_HOME`. Throws `usage` for an invalid name, `data_unusable`.
 */
export const openProfile = (home: string | undefined, cwd: string, name: string): Profile => {
  if (!/^[a-z0-9][a-z0-9._-]{0,63}$/i.test(name)) {
    throw new ClawError(
      'usage',
      `"${name}" cannot be a profile's name`,
      'use letters, digits, dots, dashes',
    )
  }
  const root = homeOf(home, cwd)
  const dir = name === DEFAULT_PROFILE ? root : join(root, 'profiles', name)
  return { name, dir, state: readState(dir) }
}

type Place = Pick<Access, 'server'> & { workspace: string }

const placeKey = ({ server, workspace }: Place): string => `${server ?? ''} ${workspace}`

/** The name that a profile registered there; undefined: unknown. */
export const nameAt = ({ name, names = {} }: AgentState, place: Place): string | undefined =>
  Object.hasOwn(names, placeKey(place)) ? names[placeKey(place)] : name

/** The names of a profile, with the one that it registers there. */
export const namesWith = (
  { names = {} }: AgentState,
  place: Place,
  name: string,
): Readonly<Record<string, string>> => ({ ...names, [placeKey(place)]: name })

/** The presence that this profile shows to the others; null if it has no agent yet. */
export const presenceOf = ({
  agent_id: id,
  name,
  kind,
  activity,
  intents = [],
}: AgentState): Presence | null =>
  id === undefined
    ? null
    : {
        agent: { id, name: name ?? id, kind: kind ?? 'agent' },
        activity: { state: 'active', ...activity },
        ...(intents.length > 0 && { intents }),
      }

export const readState = (dir: string): AgentState => {
  const path = join(dir, STATE_FILE)
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as AgentState
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return {}
    throw new ClawError(
      'data_unusable',
      `cannot read ${path}: ${(cause as Error).message}`,
      'put it right, or move it away and register again: that gives this profile another id',
    )
  }
}

/** Changes the state on disk atomically. */
export const saveState = (profile: Profile, changes: AgentState): void => {
  const state = { ...readState(profile.dir), ...changes }
  if (JSON.stringify(state) === JSON.stringify(readState(profile.dir))) return
  makeOwnDir(profile.dir)
  writeLocal(join(profile.dir, STATE_FILE), `${JSON.stringify(state, null, 2)}\n`, 0o600)
  profile.state = state
}

/**
 * Makes this where the profile's commands go that name no server and no workspace. What to tell whoever moved it from
 * somewhere else.
 */
export const moveDefault = (profile: Profile, server: string, workspace: string): string[] => {
  const before = readState(profile.dir)
  saveState(profile, { server, workspace })
  if (before.server === undefined) return []
  const was = `${before.workspace ?? 'default'} of ${before.server}`
  const now = `${workspace} of ${server}`
  return was === now ? [] : [`the default of this profile is now ${now}; it was ${was}`]
}

interface JoinOptions {
  joinLink?: Target | null
  create?: boolean
  follows?: boolean
}

/** The profile's way into a workspace, and its presence there. */
export const accessOf = (
  { dir, state }: Profile,
  target: Target,
  workspace: string,
  env: Readonly<Record<string, string | undefined>>,
  { joinLink = null, create = false, follows = false }: JoinOptions = {},
): Access =>
  new Access({
    ...{ dir, target, workspace, joinLink, create, follows, agentId: state.agent_id },
    // A command's own, which the link does not share.
    env: { ...process.env, ...env },
  })
