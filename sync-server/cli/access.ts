import { joinLink, ROLES, type Role } from '../../workspace/access.ts'
import { ClawError } from '../../workspace/errors.ts'
import { isWorkspaceName } from '../../workspace/schema.ts'
import { parseSpan } from '../../workspace/when.ts'
import { DEFAULT_PORT, dataFolder } from '../options.ts'
import { type Admin, openAdmin } from './admin.ts'
import { type CommandLine, type Given, readCommand } from './args.ts'

/** What a command did: for programs, and for people; `notes` go to stderr. */
interface Done {
  data: object
  lines: readonly string[]
  notes?: readonly string[]
}

interface Command extends CommandLine {
  summary: string
  run: (admin: Admin, given: Given) => Promise<Done>
}

const workspaceIn = ({ value }: Given): { workspace?: string } => {
  const workspace = value('workspace')
  if (workspace === undefined) return {}
  if (isWorkspaceName(workspace)) return { workspace }
  throw new ClawError('bad_name', `"${workspace}" is not a workspace name`)
}

const spanIn = (flag: string, text: string): number => {
  const ms = parseSpan(text)
  if (ms !== null && ms >= 1_000) return ms
  throw new ClawError('usage', `--${flag} ${text} is no time`, 'like: 7d, 12h, 30m')
}

const roleIn = (text: string): Role => {
  const role = ROLES.find((known) => known === text)
  if (role !== undefined) return role
  throw new ClawError('usage', `--role ${text} is not known`, `one of: ${ROLES.join(', ')}`)
}

const usesIn = (text: string): number | null => {
  if (text === 'any') return null
  if (/^[1-9]\d{0,5}$/.test(text)) return Number(text)
  throw new ClawError('usage', `--uses ${text} is no count`, 'like: 5, or any')
}

const baseOf = (admin: Admin, given: Given): string =>
  given.value('url')?.replace(/\/+$/, '') ?? admin.reach ?? `http://127.0.0.1:${DEFAULT_PORT}`

/** The join link, with its secret in it and nowhere else. */
const asLink = (
  admin: Admin,
  given: Given,
  { secret, ...made }: { secret: string; workspace: string | null; expires_at: string | null },
): Done => {
  const base = baseOf(admin, given)
  const link = joinLink(base, made.workspace ?? 'default', secret)
  const notes = [
    `good until ${made.expires_at ?? 'it is revoked'}; join with: clawlink-agent join -`,
  ]
  if (/\/\/(127\.|localhost|\[::1\])/.test(base)) {
    notes.push('that address is this machine only: for others give --url, or start with --host')
  }
  return { data: { ...made, link }, lines: [link], notes }
}

/** The token itself, and where it is good. */
const asToken = (
  admin: Admin,
  given: Given,
  made: { secret: string; invite: string; workspace: string | null; expires_at: string | null },
): Done => {
  const { secret: token, ...rest } = made
  const base = baseOf(admin, given)
  const url = made.workspace === 'default' ? base : `${base}/w/${made.workspace}`
  const notes = [
    `good until ${made.expires_at ?? `it is revoked (${made.invite})`}; for ClawLink 1.x clients and curl at ${url}`,
  ]
  return { data: { ...rest, token, url }, lines: [token], notes }
}

export const ACCESS_COMMANDS: readonly Command[] = [
  {
    name: 'invite',
    summary: 'print a link by which an agent or person can join',
    usage:
      '[--workspace W] [--role admin|write|read] [--uses N|any] [--expires 7d|never] [--url URL] [--data DIR] [--json]\n  or: clawlink-sync invite --http [--name N] [--workspace W] [--role write|read] [--expires 90d|never] …: a token for agents that speak plain HTTP',
    flags: ['workspace', 'role', 'uses', 'expires', 'url', 'name'],
    switches: ['http'],
    run: async (admin, given) => {
      const isHttp = given.has('http')
      for (const [flag, goes] of [
        ['uses', !isHttp],
        ['name', isHttp],
      ] as const) {
        if (goes || !given.has(flag)) continue
        throw new ClawError(
          'usage',
          `--${flag} does not go with ${isHttp ? '--http' : 'a join link'}`,
        )
      }
      const expires = given.value('expires') ?? (isHttp ? 'never' : '7d')
      const made = await admin.do('invite', {
        ...workspaceIn(given),
        ...(isHttp && { http: given.value('name') ?? '' }),
        role: roleIn(given.value('role') ?? 'write'),
        uses: usesIn(given.value('uses') ?? '1'),
        expires_in: expires === 'never' ? null : spanIn('expires', expires),
      })
      return isHttp ? asToken(admin, given, made) : asLink(admin, given, made)
    },
  },
  {
    name: 'invites',
    summary: 'the invites by which somebody can still join, and the tokens',
    usage: '[--workspace W] [--data DIR] [--json]',
    flags: ['workspace'],
    run: async (admin, given) => {
      const { invites } = await admin.do('invites', workspaceIn(given))
      const lines = invites.map(
        ({ invite, workspace, role, uses, expires_at, http }) =>
          `${invite}  ${workspace ?? '(any)'}  ${role}  ${http === undefined ? `${uses ?? 'any number'} left` : `token ${http}`}  until ${expires_at ?? 'revoked'}`,
      )
      return { data: { invites, count: invites.length }, lines }
    },
  },
  {
    name: 'agents',
    summary: 'who has joined, and with what role',
    usage: '[--workspace W] [--data DIR] [--json]',
    flags: ['workspace'],
    run: async (admin, given) => {
      const { agents } = await admin.do('agents', workspaceIn(given))
      const lines = agents.map(
        ({ agent_id, name, workspace, role, joined_at, revoked_at }) =>
          `${agent_id}  ${name || '-'}  ${workspace}  ${role}  joined ${joined_at}${revoked_at === null ? '' : `  revoked ${revoked_at}`}`,
      )
      return { data: { agents, count: agents.length }, lines }
    },
  },
  {
    name: 'revoke',
    summary: 'end an agent’s credential and its connections, an invite or a token, now',
    usage: 'AGENT|INVITE|TOKEN-ID [--workspace W] [--data DIR] [--json]',
    flags: ['workspace'],
    operands: ['which'],
    run: async (admin, given) => {
      const which = given.value('which')!
      const data = await admin.do('revoke', { which, ...workspaceIn(given) })
      return { data, lines: [`revoked ${which}`] }
    },
  },
  {
    name: 'rotate',
    summary: 'print a link by which an agent gets a new credential in place of its old one',
    usage: 'AGENT [--workspace W] [--url URL] [--data DIR] [--json]',
    flags: ['workspace', 'url'],
    operands: ['which'],
    run: async (admin, given) => {
      const which = given.value('which')!
      return asLink(admin, given, await admin.do('rotate', { which, ...workspaceIn(given) }))
    },
  },
  {
    name: 'audit',
    summary: 'who was invited, joined, revoked, and what was refused',
    usage: '[--workspace W] [--limit N] [--data DIR] [--json]',
    flags: ['workspace', 'limit'],
    run: async (admin, given) => {
      const limit = Number(given.value('limit') ?? 200)
      if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
        throw new ClawError('usage', '--limit is no count from 1 to 10000')
      }
      const { entries } = await admin.do('audit', { ...workspaceIn(given), limit })
      const lines = entries.map(
        ({ at, what, workspace, by, note }) =>
          `${at}  ${what}  ${workspace ?? '-'}  ${by}  ${note}`,
      )
      return { data: { entries, count: entries.length }, lines }
    },
  },
  {
    name: 'recover',
    summary: 'after a restore: take operations that the backup lacks from whoever has them',
    usage: '[--for 7d] [--data DIR] [--json]',
    flags: ['for'],
    run: async (admin, given) => {
      const data = await admin.do('recover', { for: spanIn('for', given.value('for') ?? '7d') })
      return { data, lines: [`recovering until ${data.recovering_until}`] }
    },
  },
]

/** Carries out one of these; prints, and throws what is wrong. */
export const runAccess = async (
  name: string,
  argv: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<void> => {
  const command = ACCESS_COMMANDS.find((one) => one.name === name)!
  const given = readCommand(command, argv)
  if (given.help) {
    process.stdout.write(`${command.summary}\n\nusage: clawlink-sync ${name} ${command.usage}\n`)
    return
  }
  const admin = await openAdmin(dataFolder(given.value('data'), env))
  try {
    const { data, lines, notes = [] } = await command.run(admin, given)
    const out = given.json ? [JSON.stringify({ ok: true, data })] : lines
    process.stdout.write(out.map((line) => `${clean(line)}\n`).join(''))
    process.stderr.write(notes.map((line) => `${line}\n`).join(''))
  } finally {
    await admin.close()
  }
}

/** What agents named themselves is data: no control characters of theirs reach a terminal. */
const clean = (line: string): string => line.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, ' ')
