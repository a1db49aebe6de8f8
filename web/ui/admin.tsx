import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { joinLink, ROLES, type Role } from '../../protocol/roles.ts'
import { Copy } from '../parts/copy.tsx'
import { Ago, Empty, Said } from '../parts/parts.tsx'
import { addressOf } from '../session/api.ts'
import type { Team } from '../state/team.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const EXPIRIES = [
  [HOUR_MS, 'an hour'],
  [DAY_MS, 'a day'],
  [7 * DAY_MS, 'a week'],
  [30 * DAY_MS, '30 days'],
] as const

const ABOUT: Readonly<Record<Role, string>> = {
  read: 'read: watches',
  suggest: 'suggest: proposes changes of files, and talks',
  write: 'write: works along',
  admin: 'admin: works along, invites and revokes',
}

interface Invited {
  invite: string
  role: string
  uses: number | null
  expires_at: string | null
}
interface Member {
  agent_id: string
  name: string
  kind: string
  role: Role
  joined_at: string
  revoked_at: string | null
  last_seen: string | null
}

/** For admins: invites, and who has joined. */
export const Admin = ({ team }: { team: Team }) => {
  const members = useSignal<readonly Member[] | null>(null)
  const invites = useSignal<readonly Invited[]>([])
  const read = async () => {
    const [found, open] = await Promise.all([
      team.askAdmin<{ agents: Member[] }>('GET', 'agents'),
      team.askAdmin<{ invites: Invited[] }>('GET', 'invites'),
    ])
    if (found !== null) members.value = found.agents
    if (open !== null) invites.value = open.invites
  }
  const { agents, now } = team.snapshot.value
  // biome-ignore lint/correctness/useExhaustiveDependencies: whoever joins is shown
  useEffect(() => {
    void read()
  }, [agents.length])
  const revoke = async (which: string, name: string) => {
    if ((await team.askAdmin('POST', 'revoke', { which })) === null) return
    team.tell(`${name} is revoked.`)
    await read()
  }
  return (
    <>
      <h2>Invite</h2>
      <InviteForm team={team} made={() => void read()} />
      {invites.value.length > 0 && <h3>Open invites</h3>}
      <ul class="files">
        {invites.value.map(({ invite, role, uses, expires_at }) => (
          <li key={invite}>
            {role}, {uses === null ? 'for any number' : `for ${uses} more`}
            {expires_at !== null && (
              <>
                , ends <Ago at={Date.parse(expires_at)} now={now} />
              </>
            )}{' '}
            <small class="faint">{invite}</small>{' '}
            <Sure
              label="Revoke"
              about={`the invite ${invite}`}
              act={() => revoke(invite, 'The invite')}
            />
          </li>
        ))}
      </ul>
      <h2>Agents and people</h2>
      {members.value === null && <Empty>Loading…</Empty>}
      <ul class="files">
        {(members.value ?? [])
          .filter(({ revoked_at }) => revoked_at === null)
          .map((member) => (
            <One key={member.agent_id} {...{ team, member, revoke }} />
          ))}
      </ul>
    </>
  )
}

interface OneProps {
  team: Team
  member: Member
  revoke: (which: string, name: string) => Promise<void>
}

const One = ({ team, member, revoke }: OneProps) => {
  const { agent_id: id, kind, role, last_seen } = member
  const name = member.name === '' ? team.nameOf(id) : member.name
  const chosen = useSignal(role)
  return (
    <li class="member">
      <b>
        <Said text={name} />
      </b>{' '}
      <small class="faint">
        {kind} {id}
        {last_seen !== null && (
          <>
            {', seen '}
            <Ago at={Date.parse(last_seen)} now={team.snapshot.value.now} />
          </>
        )}
      </small>
      <select
        aria-label={`Role of ${name}`}
        value={chosen}
        disabled={id === team.workspace.id}
        onChange={async ({ currentTarget }) => {
          chosen.value = currentTarget.value as Role
          const answer = await team.askAdmin('POST', 'role', { which: id, role: chosen.value })
          if (answer === null) chosen.value = role
          else team.tell(`${name} has the role ${chosen.value}.`)
        }}
      >
        {ROLES.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>{' '}
      {id !== team.workspace.id && (
        <Sure label="Revoke" about={name} act={() => revoke(id, name)} />
      )}
    </li>
  )
}

/** A button that asks once more. */
const Sure = ({
  label,
  about,
  act,
}: {
  label: string
  about: string
  act: () => Promise<void>
}) => {
  const isAsked = useSignal(false)
  if (!isAsked.value) {
    return (
      <button
        type="button"
        aria-label={`${label} ${about}`}
        onClick={() => {
          isAsked.value = true
        }}
      >
        {label}
      </button>
    )
  }
  return (
    <span class="sure">
      <button type="button" class="danger" onClick={() => void act()}>
        {label} <Said text={about} />
      </button>{' '}
      <button
        type="button"
        onClick={() => {
          isAsked.value = false
        }}
      >
        Keep
      </button>
    </span>
  )
}

const InviteForm = ({ team, made }: { team: Team; made: () => void }) => {
  const role = useSignal<Role>('write')
  const uses = useSignal('1')
  const expiry = useSignal<number>(7 * DAY_MS)
  const link = useSignal<string | null>(null)
  const invite = async (event: Event) => {
    event.preventDefault()
    const found = await team.askAdmin<{ secret: string; workspace: string }>('POST', 'invite', {
      ...{ role: role.value, expires_in: expiry.value },
      uses: uses.value === '' ? null : Number(uses.value),
    })
    if (found === null) return
    const address = addressOf('./').replace(/\/$/, '')
    link.value = joinLink(address, found.workspace, found.secret)
    made()
  }
  return (
    <>
      <form class="text-form" onSubmit={(event) => void invite(event)}>
        <label>
          Role
          <select
            value={role}
            onChange={({ currentTarget }) => {
              role.value = currentTarget.value as Role
            }}
          >
            {ROLES.map((one) => (
              <option key={one} value={one}>
                {ABOUT[one]}
              </option>
            ))}
          </select>
        </label>
        <label>
          For how many (empty: any number)
          <input
            type="number"
            min={1}
            max={1_000_000}
            value={uses}
            onInput={({ currentTarget }) => {
              uses.value = currentTarget.value
            }}
          />
        </label>
        <label>
          Ends after
          <select
            value={String(expiry.value)}
            onChange={({ currentTarget }) => {
              expiry.value = Number(currentTarget.value)
            }}
          >
            {EXPIRIES.map(([ms, words]) => (
              <option key={ms} value={String(ms)}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <button type="submit">Make a join link</button>
      </form>
      {link.value !== null && <Made link={link.value} forget={() => (link.value = null)} />}
    </>
  )
}

/** The link is shown once: the server keeps a hash of it. */
const Made = ({ link, forget }: { link: string; forget: () => void }) => {
  return (
    <section class="panel" aria-label="The join link">
      <p>
        Pass this link on to whom you invite: in a browser it opens this page, an agent joins with
        clawlink-agent join. It is a secret, and is shown once.
      </p>
      <label>
        Join link
        <input readOnly value={link} onFocus={({ currentTarget }) => currentTarget.select()} />
      </label>
      <div class="buttons">
        <Copy text={link} />
        <button type="button" onClick={forget}>
          Hide
        </button>
      </div>
      <QrCode text={link} />
    </section>
  )
}

const QrCode = ({ text }: { text: string }) => {
  const code = useSignal<{ size: number; path: string } | null>(null)
  useEffect(() => {
    void import('../parts/qr-code.ts').then(({ qrCode }) => {
      code.value = qrCode(text)
    })
  }, [text, code])
  if (code.value === null) return <Empty>Loading…</Empty>
  const { size, path } = code.value
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label="QR code of the join link"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}
