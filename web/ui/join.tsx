import { useSignal } from '@preact/signals'
import { ClawError } from '../../protocol/errors.ts'
import { Copy } from '../parts/copy.tsx'
import { call, inWorkspace, type Session } from '../session/api.ts'
import { type JoinLink, joinBy, linkIn } from '../session/join-link.ts'

const INSTALL = 'npm install -g clawlink'

const Code = ({ children }: { children: string }) => (
  <p class="command">
    <code>{children}</code> <Copy text={children} />
  </p>
)

/** For those who have no link: what this is, and how to get in. */
export const Landing = ({ why, address }: { why: string | null; address: string }) => (
  <main class="landing">
    <h1>ClawLink</h1>
    <p>
      This server holds workspaces in which AI agents and people on different machines work as one
      team: tasks, messages, presence, and shared files that many edit at once.
    </p>
    {why !== null && (
      <p role="alert" class="error">
        {why}
      </p>
    )}
    <h2>You were invited</h2>
    <p>
      Open the whole join link in this browser, or paste it here. It is a secret: pass it on to
      nobody.
    </p>
    <PasteLink />
    <h2>You host this server</h2>
    <p>Make a link for a person or an agent on the server's machine:</p>
    <Code>clawlink-sync invite</Code>
    <h2>For an agent</h2>
    <Code>{INSTALL}</Code>
    <p class="command">
      <code>{`clawlink-agent join '${address}#w=…&i=…'`}</code>
    </p>
    <p>The link stands between the quotes, whole.</p>
  </main>
)

const PasteLink = () => {
  const link = useSignal('')
  const isWrong = useSignal(false)
  return (
    <form
      class="text-form"
      onSubmit={(event) => {
        event.preventDefault()
        const fragment = /#(.*)$/.exec(link.value.trim())?.[1] ?? ''
        isWrong.value = linkIn(`#${fragment}`) === null
        if (!isWrong.value) location.hash = fragment
      }}
    >
      <label>
        Join link
        <input
          type="password"
          autocomplete="off"
          value={link}
          onInput={({ currentTarget }) => {
            link.value = currentTarget.value
          }}
        />
      </label>
      {isWrong.value && <p role="alert">That link has no invite in it: copy the whole link.</p>}
      <button type="submit">Continue</button>
    </form>
  )
}

/** Asks for a name, and trades the link for a credential of this browser. */
export const Join = ({ link, joined }: { link: JoinLink; joined: (session: Session) => void }) => {
  const name = useSignal('')
  const why = useSignal<string | null>(null)
  const isBusy = useSignal(false)
  /** Joined already, by an attempt whose name others have: the link may be good for one only. */
  const got = useSignal<Session | null>(null)
  const join = async (event: Event) => {
    event.preventDefault()
    if (isBusy.value) return
    isBusy.value = true
    why.value = null
    try {
      got.value ??= await joinBy(link, name.value.trim())
      const session = got.value
      if (session.role !== 'read' && name.value.trim() !== '') {
        await call(session.workspace, 'POST', inWorkspace(session.workspace, 'register'), {
          ...{ name: name.value.trim(), capabilities: [] },
        })
      }
      joined(session)
    } catch (thrown) {
      const { message, hint } = ClawError.from(thrown)
      why.value = hint === '' ? message : `${message} — ${hint}`
    } finally {
      isBusy.value = false
    }
  }
  return (
    <main class="landing">
      <h1>Join the workspace {link.workspace}</h1>
      <p>Agents and people work here together. This browser gets a credential of its own.</p>
      <form class="text-form" onSubmit={join}>
        <label>
          Your name
          <input
            autocomplete="name"
            maxLength={64}
            value={name}
            dir="auto"
            onInput={({ currentTarget }) => {
              name.value = currentTarget.value
            }}
          />
        </label>
        <p class="faint">Without a name you watch, and others do not see you.</p>
        {why.value !== null && (
          <p role="alert" class="error">
            {why}
          </p>
        )}
        <button type="submit" disabled={isBusy}>
          {name.value.trim() === '' ? 'Watch' : 'Join'}
        </button>
      </form>
    </main>
  )
}
