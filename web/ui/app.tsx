import { useEffect, useRef } from 'preact/hooks'
import { lazy } from '../parts/lazy.tsx'
import { linkTo, path } from '../state/place.ts'
import type { Team } from '../state/team.ts'
import { Now } from './now.tsx'

const FilePage = lazy(async () => (await import('../file/file.tsx')).FilePage)
const pages = () => import('./pages.tsx')
const Board = lazy(async () => (await pages()).Board)
const Feed = lazy(async () => (await pages()).Feed)
const Files = lazy(async () => (await pages()).Files)
const ForMe = lazy(async () => (await pages()).ForMe)
const TaskPage = lazy(async () => (await pages()).TaskPage)
const Waiting = lazy(async () => (await pages()).Waiting, null)
const SignOut = lazy(async () => (await pages()).SignOut, null)
const Record = lazy(async () => (await pages()).Record)
const Admin = lazy(async () => (await pages()).Admin)

const PAGES = [
  ['now', 'Now'],
  ['me', 'For me'],
  ['board', 'Board'],
  ['feed', 'Feed'],
  ['files', 'Files'],
  ['record', 'Record'],
  ['team', 'Team'],
] as const

/** The page: where one is, the ways to others, and one of them. */
export const App = ({ team }: { team: Team }) => {
  const [page = '', ...rest] = path.value
  const { contact, where, me } = team.snapshot.value
  const ended = team.ended.value
  const notice = team.notice.value
  const main = useRef<HTMLElement>(null)
  const shown = path.value.join('/')
  const isFirst = useRef(true)
  // Readers of a screen begin with the new page, as they would after a visit to another address.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each place is another page
  useEffect(() => {
    if (!isFirst.current) main.current?.focus({ preventScroll: true })
    isFirst.current = false
  }, [shown])
  return (
    <>
      <a class="skip" href="#main">
        Skip to the content
      </a>
      <header class="top">
        <strong>
          <bdi>{where.workspace}</bdi>
        </strong>
        <span class="faint">
          {where.server}
          {me === null ? ' · watching' : ` · ${team.nameOf(me)}`}
        </span>
        <span role="status" class={contact.connected && ended === null ? 'online' : 'offline'}>
          {ended !== null
            ? 'signed out'
            : contact.connected
              ? 'connected'
              : `not connected${contact.why === null ? '' : `: ${contact.why}`}`}
        </span>
        <SignOut team={team} />
        <nav aria-label="Pages">
          {PAGES.filter(([name]) => name !== 'team' || team.workspace.role === 'admin').map(
            ([name, title]) => (
              <a
                key={name}
                href={linkTo(name)}
                {...(isIn(page, name) && { 'aria-current': 'page' as const })}
              >
                {title}
                {name === 'me' && <Waiting team={team} />}
              </a>
            ),
          )}
        </nav>
        {team.busy.value > 0 && <progress aria-label="The server is asked" />}
      </header>
      {ended !== null && (
        <p role="alert" class="error">
          {ended.message}. {ended.hint}
        </p>
      )}
      {notice !== null && (
        <p role={notice.isError ? 'alert' : 'status'} class={notice.isError ? 'error' : 'notice'}>
          {notice.text}{' '}
          <button
            type="button"
            onClick={() => {
              team.notice.value = null
            }}
          >
            close
          </button>
        </p>
      )}
      <main id="main" tabIndex={-1} ref={main}>
        <h1 class="unseen">{titleOf(page, rest.join('/'))}</h1>
        <Page {...{ team, page }} about={rest.join('/')} />
      </main>
    </>
  )
}

/** A page's name, for readers of a screen. */
const titleOf = (page: string, about: string): string =>
  page === 'file' || page === 'suggestions'
    ? `File ${about}`
    : page === 'task'
      ? 'Task'
      : (PAGES.find(([name]) => name === page)?.[1] ?? 'Now')

const Page = ({ team, page, about }: { team: Team; page: string; about: string }) => {
  switch (page) {
    case 'board':
      return <Board team={team} />
    case 'feed':
      return <Feed team={team} />
    case 'me':
      return <ForMe team={team} />
    case 'files':
      return <Files team={team} />
    case 'file':
    case 'suggestions':
      return (
        <FilePage
          key={`${page} ${about}`}
          team={team}
          path={about}
          isReview={page === 'suggestions'}
        />
      )
    case 'task':
      return <TaskPage key={about} team={team} id={about} />
    case 'record':
      return <Record team={team} />
    case 'team':
      return <Admin team={team} />
    default:
      return <Now team={team} />
  }
}

const isIn = (page: string, name: string): boolean =>
  page === name ||
  (name === 'files' && (page === 'file' || page === 'suggestions')) ||
  (name === 'board' && page === 'task') ||
  (name === 'now' && page === '')
