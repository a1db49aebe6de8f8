import { ClawError } from '../../protocol/errors.ts'
import { joinLink, ROLES } from '../../protocol/roles.ts'
import { checkWorkspaceName } from '../../workspace/document/validate.ts'
import { DEFAULT_PORT } from '../config/flags.ts'
import { urlIn } from '../config/options.ts'
import { parseLimits } from '../config/quotas.ts'
import { MAX_NAME } from '../routes/admin-actions.ts'
import { type Admin, openAdmin } from './admin.ts'
import type { Call, Command } from './call.ts'
import { clean, escaped } from './clean.ts'

const WEEK_MS = 7 * 24 * 60 * 60_000

/** The result of a command: data for programs, lines for people; `notes` go to stderr. */
export interface Done {
  data: object
  lines: readonly string[]
  notes?: readonly string[]
}

const workspaceIn = ({ value }: Call): { workspace?: string } => {
  const workspace = value('workspace')
  return workspace === undefined ? {} : { workspace: checkWorkspaceName(workspace) }
}

const nameIn = (text: string): string => {
  if (text.length <= MAX_NAME) return text
  throw new ClawError('usage', `--name has over ${MAX_NAME} characters`, 'give a shorter one')
}

/** Call it before anything is made: it throws `usage` for a bad --url. */
const baseOf = (admin: Admin, { value }: Call): string => {
  const url = value('url')
  if (url !== undefined) return urlIn('url', url)
  return admin.reach ?? `http://127.0.0.1:${DEFAULT_PORT}`
}

/** The join link, with its secret in it and nowhere else. */
const asLink = (
  base: string,
  { secret, ...made }: { secret: string; workspace: string | null; expires_at: string | null },
): Done => {
  const link = joinLink(base, made.workspace ?? 'default', secret)
  const notes = [
    `good until ${made.expires_at ?? 'it is revoked'}; join with: clawlink-agent join -`,
  ]
  if (/\/\/(127\.|localhost|\[::1\])/.test(base)) {
    notes.push(
      'that address works on this machine only: for others give --url, or start with --host',
    )
  }
  return { data: { ...made, link }, lines: [link], notes }
}

/** The token, with the address it is good for. */
const asToken = (
  base: string,
  made: { secret: string; invite: string; workspace: string | null; expires_at: string | null },
): Done => {
  const { secret: token, ...rest } = made
  const url = made.workspace === 'default' ? base : `${base}/w/${made.workspace}`
  const notes = [
    `good until ${made.expires_at ?? `it is revoked (${made.invite})`}; for ClawLink 1.x clients and curl at ${url}`,
  ]
  return { data: { ...rest, token, url }, lines: [token], notes }
}

/** Limit on open invites, for a stopped server; other commands have another flag `limit`. */
const mostInvites = ({ value }: Call): number => parseLimits(value('limit') ?? '').invites

/** Notes for an empty list: an unknown workspace looks the same as an empty one. */
const ifNone = (lines: readonly string[], what: string, { value }: Call): string[] => {
  const workspace = value('workspace')
  if (lines.length > 0) return []
  return [workspace === undefined ? what : `${what} in workspace "${workspace}"`]
}

/** Makes a command of it: opens the admin, prints the result, closes the admin. */
export const command =
  (run: (admin: Admin, call: Call) => Promise<Done>, most?: (call: Call) => number): Command =>
  async (call) => {
    const admin = await openAdmin(call.place, most?.(call))
    try {
      const { data, lines, notes = [] } = await run(admin, call)
      const out = call.json ? [escaped(JSON.stringify({ ok: true, data }))] : lines.map(clean)
      call.print(out.map((line) => `${line}\n`).join(''))
      process.stderr.write(notes.map((line) => `${line}\n`).join(''))
      return 0
    } finally {
      await admin.close()
    }
  }

export const invite = command(async (admin, call) => {
  const isHttp = call.has('http')
  const base = baseOf(admin, call)
  const isForever = call.value('expires') === 'never' || (isHttp && !call.has('expires'))
  const made = await admin.do('invite', {
    ...workspaceIn(call),
    ...(call.has('create') && { create: true }),
    ...(isHttp && { http: nameIn(call.value('name') ?? '') }),
    role: call.oneOf('role', ROLES) ?? 'write',
    uses: call.value('uses') === 'any' ? null : (call.number('uses') ?? 1),
    expires_in: isForever ? null : (call.span('expires') ?? WEEK_MS),
  })
  return isHttp ? asToken(base, made) : asLink(base, made)
}, mostInvites)

export const invites = command(async (admin, call) => {
  const { invites } = await admin.do('invites', workspaceIn(call))
  const lines = invites.map(
    ({ invite, workspace, role, uses, expires_at, http }) =>
      `${invite}  ${workspace ?? '(any)'}  ${role}  ${http === undefined ? `${uses ?? 'any number'} left` : `token ${http}`}  until ${expires_at ?? 'revoked'}`,
  )
  return {
    data: { invites, count: invites.length },
    lines,
    notes: ifNone(lines, 'no invites', call),
  }
})

export const agents = command(async (admin, call) => {
  const { agents } = await admin.do('agents', workspaceIn(call))
  const lines = agents.map(
    ({ agent_id, name, workspace, role, joined_at, revoked_at, last_seen }) =>
      `${agent_id}  ${name || '-'}  ${workspace}  ${role}  joined ${joined_at}  ${last_seen == null ? 'not seen since' : `seen ${last_seen}`}${revoked_at === null ? '' : `  revoked ${revoked_at}`}`,
  )
  return {
    data: { agents, count: agents.length },
    lines,
    notes: ifNone(lines, 'nobody has joined', call),
  }
})

export const role = command(async (admin, call) => {
  const data = await admin.do('role', {
    which: call.value('which')!,
    role: call.oneOf('role', ROLES)!,
    ...workspaceIn(call),
  })
  return { data, lines: [`${data.agent_id} has the role ${data.role} in ${data.workspace}`] }
})

export const revoke = command(async (admin, call) => {
  const which = call.value('which')!
  const data = await admin.do('revoke', { which, ...workspaceIn(call) })
  return { data, lines: [`revoked ${which}`] }
})

export const rotate = command(async (admin, call) => {
  const which = call.value('which')!
  const base = baseOf(admin, call)
  return asLink(base, await admin.do('rotate', { which, ...workspaceIn(call) }))
}, mostInvites)

export const audit = command(async (admin, call) => {
  const limit = call.number('limit') ?? 200
  const { entries } = await admin.do('audit', { ...workspaceIn(call), limit })
  const { agents } = await admin.do('agents', workspaceIn(call))
  const names = new Map(agents.map(({ agent_id, name }) => [agent_id as string, name]))
  const lines = entries.map(({ at, what, workspace, by, note }) => {
    const name = names.get(by)
    return `${at}  ${what}  ${workspace ?? '-'}  ${name ? `${by} (${name})` : by}  ${note}`
  })
  return {
    data: { entries, count: entries.length },
    lines,
    notes: ifNone(lines, 'no entries', call),
  }
})

export const recover = command(async (admin, call) => {
  const data = await admin.do('recover', {
    for: call.span('for') ?? WEEK_MS,
  })
  return { data, lines: [`recovering until ${data.recovering_until}`] }
})
