import { readFileSync } from 'node:fs'
import type { Access } from '../../client/http/credentials.ts'
import { resolveIn } from '../../client/http/cwd.ts'
import { DEFAULT_SERVER, parseTarget, type Target } from '../../client/http/target.ts'
import type { KeyKind } from '../../client/replica/answers.ts'
import { readsStdin } from '../../lib/command-line/value-types.ts'
import { choiceIn, numberIn, sizeIn, spanIn } from '../../lib/command-line/values.ts'
import { ClawError } from '../../protocol/errors.ts'
import type { AgentId } from '../../protocol/ids.ts'
import { MAX_KEY_BYTES } from '../../protocol/limits.ts'
import { isSecret } from '../../protocol/roles.ts'
import { readJsonText } from '../../workspace/document/json.ts'
import type { Json } from '../../workspace/document/schema.ts'
import { checkWorkspaceName, within } from '../../workspace/document/validate.ts'
import type { WorkspaceHandle, WorkspaceLocation } from '../session/workspace-handle.ts'
import { cannotRead } from './cannot-read.ts'
import { accessOf, openProfile, type Profile } from './profile.ts'
import type { Runtime } from './runtime.ts'
import type { Args } from './verb.ts'

/** The environment variables that this program reads. */
export interface Env {
  CLAWLINK_HOME?: string | undefined
  CLAWLINK_SERVER?: string | undefined
  CLAWLINK_AGENT?: string | undefined
  /** `off`: no link is started. */
  CLAWLINK_LINK?: string | undefined
  /** A join link, used without a credential. */
  CLAWLINK_JOIN?: string | undefined
  CLAWLINK_RUN_DIR?: string | undefined
  CLAWLINK_HOOK_TOKEN?: string | undefined
  CLAWLINK_DEBUG?: string | undefined
  /** The host's name of the session that runs this command. */
  CLAWLINK_SESSION?: string | undefined
}

/** All that a command line depends on: another process can answer it. */
export interface Request {
  argv: readonly string[]
  cwd: string
  env: Env
  /** The content of stdin; null if the command line does not read it. */
  stdin: Uint8Array | null
  /** True if stdout is a terminal. */
  terminal: boolean
  /** True if stderr is a terminal, so that progress can be shown. */
  progress?: boolean
  /** When the command began, milliseconds since the epoch. */
  at: number
  /** Names this one command, however often it is begun. */
  key: string
  /** Aborts when the caller no longer waits for the answer. */
  signal: AbortSignal
  /** Prints before the answer. Resolves once stdout has taken the text, rejects if stdout is closed. */
  print: (text: string) => Promise<void>
  /** Prints on stderr before the answer does. */
  say: (text: string) => void
  /** Has this line printed on stderr should a person end the command with Ctrl-C from here on. */
  ifStopped?: (line: string) => void
}

/** The result of a verb: data for machines, lines for readers, notes for stderr. */
export interface Outcome {
  data: { [key: string]: unknown }
  lines: readonly string[]
  notes?: readonly string[]
  /** A file's content; text mode prints it unchanged instead of `lines`. */
  content?: string
  /** All was printed already. */
  isStream?: true
  /** To do once stdout has taken everything. */
  after?: () => Promise<void>
}

export type Verb = (call: Call) => Promise<Outcome>

/** ClawLink 1.x's `--token`: an invite is one to join by. Its tokens for plain HTTP open nothing here. */
const inviteIn = (token = ''): { invite?: string } =>
  isSecret('invite', token) ? { invite: token } : {}

/** One command being carried out: its flags and bodies, its profile, and what must be closed at its end. */
export class Call {
  readonly request: Request
  readonly profile: Profile
  readonly target: Target
  readonly workspace: string
  /** The profile's way into the workspace, and its presence there. */
  readonly access: Access
  /** Lines for stderr. */
  readonly notes: string[] = []
  readonly host: Runtime
  readonly #args: Args
  readonly #closers: (() => Promise<void>)[] = []
  #place: Promise<WorkspaceHandle> | null = null

  /** Throws `usage`, `bad_url`, `bad_name`, `data_unusable`. */
  constructor(request: Request, args: Args, host: Runtime) {
    const { env, cwd } = request
    this.request = request
    this.host = host
    this.#args = args
    const name = args.values.get('as') ?? (env.CLAWLINK_AGENT || 'default')
    this.profile = openProfile(env.CLAWLINK_HOME, cwd, name)
    const { server, workspace } = this.profile.state
    const given = args.values.get('relay') ?? (env.CLAWLINK_SERVER || undefined)
    const joinLink = env.CLAWLINK_JOIN ? parseTarget(env.CLAWLINK_JOIN) : null
    const target = {
      ...(given === undefined && server === undefined && joinLink !== null
        ? joinLink
        : parseTarget(given ?? server ?? DEFAULT_SERVER)),
      ...inviteIn(args.values.get('token')),
    }
    const chosen = args.values.get('workspace') ?? target.workspace ?? workspace ?? 'default'
    this.workspace = checkWorkspaceName(chosen)
    const create = args.has.has('create')
    const follows = args.verb?.name === 'register'
    this.access = accessOf(
      this.profile,
      target,
      this.workspace,
      { ...env },
      {
        ...{ joinLink, create, follows },
      },
    )
    const { token, readsOnly, faith } = this.access
    this.target = { ...target, token, readsOnly, faith }
  }

  get verb(): string {
    return this.#args.verb?.name ?? ''
  }

  has(flag: string): boolean {
    return this.#args.has.has(flag)
  }

  /** A flag's value as typed. */
  flag(name: string): string | undefined {
    return this.#args.values.get(name)
  }

  /** The number that a flag was given; undefined if it was not, or without a value. */
  number(name: string): number | undefined {
    return numberIn(this.#args, name)
  }

  /** The time span that a flag was given, in milliseconds; undefined if it was not. */
  span(name: string): number | undefined {
    return spanIn(this.#args, name)
  }

  /** The size that a flag was given, in bytes; undefined if it was not. */
  size(name: string): number | undefined {
    return sizeIn(this.#args, name)
  }

  /** The word that a flag was given; undefined if it was not. `words`: those of its table. */
  oneOf<T extends string>(name: string, words: readonly T[]): T | undefined {
    return choiceIn(this.#args, name, words)
  }

  /** A flag's value; `-` reads stdin. Throws `bad_text`. */
  text(name: string): string | undefined {
    const value = this.flag(name)
    return value === '-' ? this.readBody('-') : value
  }

  /** A flag's value; `-` reads stdin if the flag's row in the table allows it. Throws `bad_text`. */
  typed(name: string): string | undefined {
    const type = this.#args.flags[name]?.type
    return type !== undefined && readsStdin(type) ? this.text(name) : this.flag(name)
  }

  /** The text in flag `name`, or in the file that `--file` names. Throws `bad_text`, `no_such_local_file`. */
  body(name: string): string {
    const file = this.flag('file')
    if (file !== undefined && this.has(name)) {
      throw new ClawError('usage', `both --${name} and --file are given`, 'give one of them')
    }
    return file === undefined ? this.text(name)! : this.readBody(file)
  }

  /** The text of a local file, or of stdin for `-`. Throws `bad_text`, `no_such_local_file`. */
  readBody(path: string): string {
    let bytes: Uint8Array
    try {
      bytes =
        path === '-' ? (this.request.stdin ?? new Uint8Array()) : readFileSync(this.resolve(path))
    } catch (cause) {
      if (cause instanceof ClawError) throw cause
      throw cannotRead(path, this.request.cwd, cause)
    }
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    } catch {
      const what = path === '-' ? 'stdin' : path
      throw new ClawError('bad_text', `${what} is not UTF-8 text`, 'only text can be shared')
    }
  }

  /** Flag values of the form `a,b`. */
  list(name: string): string[] {
    return (this.flag(name) ?? '').split(',')
  }

  /** JSON in a flag; null where it is not given. Throws `bad_json`. */
  json(name: string): Json {
    const text = this.text(name)
    if (text === undefined) return null
    return readJsonText(text, `--${name}`, { like: `like this: --${name} '{"branch":"main"}'` })
  }

  resolve(path: string): string {
    return resolveIn(this.request.cwd, path)
  }

  /** The id this profile was registered with. Throws `not_registered`. */
  me(): AgentId {
    const { agent_id } = this.profile.state
    if (agent_id === undefined) throw this.notRegistered()
    return agent_id
  }

  notRegistered(): ClawError {
    return new ClawError(
      'not_registered',
      `profile "${this.profile.name}" is not registered in workspace "${this.workspace}" of ${this.target.base}`,
      this.access.role === 'read'
        ? 'this profile only reads; to take part ask for a join link with --role write'
        : 'run: clawlink-agent register --name NAME --caps a,b --description TEXT',
    )
  }

  /** The key that was given, or this command's own. Throws `too_large`, `usage` for an empty one. */
  idempotencyKey(): { key: string; kind: KeyKind } {
    const key = this.flag('idempotency-key')
    if (key === undefined) return { key: this.request.key, kind: 'own' }
    if (key === '') throw new ClawError('usage', '--idempotency-key is empty', 'give a key')
    return { key: within('idempotency key', key, MAX_KEY_BYTES), kind: 'given' }
  }

  get at(): WorkspaceLocation {
    const { target, workspace, access } = this
    return { dir: access.replica, target, workspace, access }
  }

  /** This call's place, which no other call has until this one is closed. Throws `busy`, `data_unusable`. */
  place(): Promise<WorkspaceHandle> {
    this.#place ??= this.host.enter(this).then(({ place, leave }) => {
      this.closing(leave)
      return place
    })
    return this.#place
  }

  /** Has `close` called when the command is over, last come first. */
  closing(close: () => Promise<void>): void {
    this.#closers.unshift(close)
  }

  /** Releases everything. The call may continue and open its workspace again. */
  async close(): Promise<void> {
    this.#place = null
    for (const close of this.#closers.splice(0)) await close()
  }
}
