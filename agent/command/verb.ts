import type { Ask } from '../../client/resident/wire.ts'
import type { CommandSpec, Flags, Program } from '../../lib/command-line/spec.ts'
import { types } from '../../lib/command-line/value-types.ts'
import type { Given } from '../../lib/command-line/values.ts'
import type { Verb } from './call.ts'

/** A verb: its command line, and a loader for its code, so that a command loads only the code that it uses. */
export interface VerbSpec extends CommandSpec {
  /** No link is started for it. */
  linkless?: true
  /** Carried out where it is asked for, with the caller's whole environment, and by no link. */
  own?: true
  load: (program: Program) => Promise<Verb>
  /** A verb that is a program of its own and never fails; `with`: only with this flag. */
  outside?: { with?: string; load: () => Promise<Outside> }
}

/** A program beside the link. `core`: the file that is the link. Resolves to the exit code. */
export type Outside = (ask: Ask, args: Args, core: string) => Promise<number>

/** Flags of every verb. */
export const COMMON: Flags = {
  relay: {
    value: 'URL|JOIN-LINK',
    type: types.name,
    what: 'the server; register and join make it the default, other verbs change nothing',
    otherwise: 'the default, else http://127.0.0.1:9077',
    env: 'CLAWLINK_SERVER',
  },
  server: { value: 'URL|JOIN-LINK', type: types.name, what: 'the same as --relay' },
  workspace: {
    value: 'W',
    type: types.name,
    what: 'the workspace',
    otherwise: 'the one you joined, else default',
  },
  as: {
    value: 'PROFILE',
    type: types.name,
    what: 'the identity on this machine',
    otherwise: 'default',
    env: 'CLAWLINK_AGENT',
  },
  /** ClawLink 1.x's. An invite joins by it; any other token opens nothing here, and is not needed where one has joined. */
  token: { value: 'TOKEN', type: types.name, what: 'an invite to join by', hidden: true },
  json: { what: 'print exactly one JSON document: {"ok":true,"data":…} or {"ok":false,"error":…}' },
  help: { short: 'h', what: 'explain the verb' },
  version: { what: 'print the version' },
}

/** Of every verb that writes. */
export const KEYED: Flags = {
  'idempotency-key': {
    value: 'ID',
    type: types.name,
    what: 'a repeat with the same key and arguments does nothing and gets the first answer',
  },
}

/** In place of a text on the command line. */
export const FROM_FILE: Flags = {
  file: { type: types.fileOrStdin, what: 'read the text from this file, or from stdin' },
}

export const NO_TASK = { 3: 'no such task' } as const

/** A command line that was read. */
export interface Args extends Given {
  verb: VerbSpec | null
}
