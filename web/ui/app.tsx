import { linkTo, path } from '../state/place.ts'
import type { Team } from '../state/team.ts'
import { waiting } from '../state/waiting.ts'
import { lazy } from './lazy.tsx'
import { Now } from './now.tsx'

const FilePage = lazy(async () => (await import('./file.tsx')).FilePage)
const pages = () => import('./pages.tsx')
const Board = lazy(async () => (await pages()).Board)
const Feed = lazy(async () => (await pages()).Feed)
const Files = lazy(async () => (await pages()).Files)
const ForMe = lazy(async () => (await pages()).ForMe)
const TaskPage = lazy(async () => (await pages()).TaskPage)

const PAGES = [
  ['now', 'Now'],
  ['me', 'For me'],
  ['board', 'Board'],
  ['feed', 'Feed'],
  ['files', 'Files'],
] as const

/** The page: where one is, the ways to others, and one of them. */
export const App = ({ team }: { team: Team }) => {
  const [page = '', ...rest] = path.value
  const { contact, where, me } = team.snapshot.value
  const ended = team.ended.value
  const count = [...waiting(team)].reduce(
    (sum, [wait, tasks]) => sum + (wait === 'open' ? 0 : tasks.length),
    0,
  )
  const notice = team.notice.value
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
        <nav aria-label="Pages">
          {PAGES.map(([name, title]) => (
            <a
              key={name}
              href={linkTo(name)}
              {...(isIn(page, name) && { 'aria-current': 'page' as const })}
            >
              {title}
              {name === 'me' && count > 0 && <b class="count">{count}</b>}
            </a>
          ))}
        </nav>
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
      <main id="main" tabIndex={-1}>
        {page === 'board' && <Board team={team} />}
        {page === 'feed' && <Feed team={team} />}
        {page === 'me' && <ForMe team={team} />}
        {page === 'files' && <Files team={team} />}
        {page === 'file' && <FilePage team={team} path={rest.join('/')} />}
        {page === 'task' && <TaskPage team={team} id={rest.join('/')} />}
        {!['board', 'feed', 'me', 'files', 'file', 'task'].includes(page) && <Now team={team} />}
      </main>
    </>
  )
}

const isIn = (page: string, name: string): boolean =>
  page === name ||
  (name === 'files' && page === 'file') ||
  (name === 'board' && page === 'task') ||
  (name === 'now' && page === '')
