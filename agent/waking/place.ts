import { join } from 'node:path'
import { homeOf, socketOf } from '../../client/resident/socket.ts'
import { isListening, startLink } from '../../client/resident/start.ts'
import type { Ask } from '../../client/resident/wire.ts'
import { openProfile, readState } from '../command/profile.ts'
import type { Args } from '../command/verb.ts'
import { readRemembered } from '../runtime/remembered.ts'

/** A profile of this machine, for programs beside the link. Nothing in here starts a link but `raise`. */
export class Place {
  readonly home: string
  readonly profile: string
  /** Folder of the profile. */
  readonly dir: string
  readonly socket: string | null
  readonly #core: string

  /** Throws `usage` for an invalid name or home. */
  constructor({ env, cwd }: Ask, { values }: Args, core: string) {
    this.profile = values.get('as') ?? (env.CLAWLINK_AGENT || 'default')
    this.home = homeOf(env.CLAWLINK_HOME, cwd)
    // Reads the profile's state, which may be damaged now and mended later; only its folder is wanted here.
    this.dir = this.profile === 'default' ? this.home : join(this.home, 'profiles', this.profile)
    if (this.profile !== 'default') checkName(env.CLAWLINK_HOME, cwd, this.profile)
    this.socket = env.CLAWLINK_LINK === 'off' ? null : socketOf(this.home)
    this.#core = core
  }

  /** True once an agent of this profile has registered, by whatever name. */
  get hasJoined(): boolean {
    try {
      return readState(this.dir).agent_id !== undefined
    } catch {
      return false
    }
  }

  /** True if a link ought to run: it was not taken down, and did not end by itself. */
  get wantsLink(): boolean {
    return readRemembered(this.home).length > 0
  }

  /** Makes sure that a link listens. `isWanted`: also starts one that was taken down. */
  async raise(isWanted: boolean): Promise<boolean> {
    if (this.socket === null) return false
    if (await isListening(this.socket)) return true
    if (!isWanted && !this.wantsLink) return false
    return startLink(this.home, this.socket, this.#core)
  }
}

const checkName = (home: string | undefined, cwd: string, name: string): void => {
  try {
    openProfile(home, cwd, name)
  } catch (error) {
    if ((error as { code?: string }).code !== 'data_unusable') throw error
  }
}
