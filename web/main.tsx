import { render } from 'preact'
import { ClawError } from '../protocol/errors.ts'
import { lazy } from './parts/lazy.tsx'
import { addressOf, call, type Session } from './session/api.ts'
import { forgetLink, type JoinLink, keepLink, keptLink, linkIn } from './session/join-link.ts'
import { forgetLast, lastSession, rememberLast } from './session/last.ts'
import { Workspace } from './session/workspace.ts'
import { Team } from './state/team.ts'
import { App } from './ui/app.tsx'

const Join = lazy(async () => (await import('./ui/pages.tsx')).Join)
const Landing = lazy(async () => (await import('./ui/pages.tsx')).Landing)

const root = document.getElementById('app')!

const show = async (session: Session): Promise<void> => {
  rememberLast(session)
  forgetLink()
  if (linkIn(location.hash) !== null) history.replaceState(null, '', `${location.pathname}#/now`)
  dispatchEvent(new HashChangeEvent('hashchange'))
  const team = new Team(await Workspace.open(session))
  render(<App team={team} />, root)
}

/** The session of the last visit, as the server knows it now; offline as it was. Null: there is none any more. */
const resumed = async (): Promise<Session | null> => {
  const last = lastSession()
  if (last === null) return null
  try {
    return await call<Session>(last.workspace, 'GET', 'api/session')
  } catch (thrown) {
    if (ClawError.from(thrown).code === 'unreachable') return last
    forgetLast()
    return null
  }
}

const join = (link: JoinLink): void => {
  keepLink(link)
  // The secret does not stay in the address bar or in the history.
  history.replaceState(null, '', location.pathname)
  render(<Join {...{ link, joined: (session) => void show(session) }} />, root)
}

const start = async (): Promise<void> => {
  const link = linkIn(location.hash) ?? keptLink()
  if (link !== null) return join(link)
  const session = await resumed()
  if (session !== null) return show(session)
  render(<Landing why={null} address={addressOf('./')} />, root)
  addEventListener('hashchange', () => {
    const pasted = linkIn(location.hash)
    if (pasted !== null) join(pasted)
  })
}

void start()

/** The page works offline after the first visit. */
if ('serviceWorker' in navigator) {
  const policy = window.trustedTypes?.createPolicy('clawlink', { createScriptURL: (url) => url })
  const url = addressOf('sw.js')
  void navigator.serviceWorker
    .register((policy?.createScriptURL(url) ?? url) as string)
    .catch(() => {})
}
