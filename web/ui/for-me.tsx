import {
  forMe,
  REASONS,
  type Reason,
  type ForMe as Thing,
  waitingCount,
} from '../../tui/model/for-me.ts'
import { findSuggestion } from '../../workspace/files/suggestions.ts'
import { TextForm } from '../parts/forms.tsx'
import { Ago, Empty, Said, TaskCard, Who } from '../parts/parts.tsx'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'
import { TaskActions } from './task.tsx'

const TITLES: Readonly<Record<Reason, string>> = {
  answer: 'Waits for your answer',
  approval: 'Waits for your approval',
  review: 'Waits for your review',
  claim: 'Given to you',
  message: 'Said to you',
  open: 'Open to anyone',
  news: 'News',
}

/** The number of things that wait for this person. */
export const Waiting = ({ team }: { team: Team }) => {
  const count = waitingCount(team.snapshot.value)
  return count === 0 ? null : <b class="count">{count}</b>
}

/** All that waits for this person, and what they have not read yet. */
export const ForMe = ({ team }: { team: Team }) => {
  const found = forMe(team.snapshot.value)
  if (found.length === 0) return <Empty>Nothing waits for you.</Empty>
  const unread = team.snapshot.value.unread.map(({ message_id }) => message_id)
  return (
    <>
      {unread.length > 0 && (
        <button type="button" onClick={() => void team.acknowledge([...new Set(unread)])}>
          Mark all as read
        </button>
      )}
      {REASONS.map((why) => {
        const things = found.filter((thing) => thing.why === why)
        if (things.length === 0) return null
        return (
          <section key={why} aria-labelledby={`wait-${why}`}>
            <h2 id={`wait-${why}`}>{TITLES[why]}</h2>
            {things.map((thing) => (
              <One key={thing.id} team={team} thing={thing} />
            ))}
          </section>
        )
      })}
    </>
  )
}

const One = ({ team, thing }: { team: Team; thing: Thing }) => {
  const { taskById, unreadIds, now } = team.snapshot.value
  const { why, about, from, text, at } = thing
  const task = why === 'message' || why === 'news' ? undefined : taskById.get(about)
  const isUnread = unreadIds.has(about)
  if (task !== undefined) {
    return (
      <TaskCard team={team} task={task}>
        {(why === 'answer' || why === 'approval') && task.message !== '' && (
          <p class="said">
            <Said text={task.message} />
          </p>
        )}
        <TaskActions team={team} task={task} />
      </TaskCard>
    )
  }
  const read = () => team.acknowledge([about])
  return (
    <article class="card">
      <Who team={team} id={from} />{' '}
      <small class="faint">
        <Ago at={at} now={now} />
      </small>
      <p class="said">
        {why === 'message' ? (
          <Said text={text} />
        ) : (
          <a href={linkOf(team, thing)}>
            <Said text={text} />
          </a>
        )}
      </p>
      {why === 'message' && (
        <details>
          <summary>Reply…</summary>
          <TextForm
            label={`Reply to ${team.nameOf(from)}`}
            button="Reply"
            send={async (content) => {
              const body = { content, to: from, reply_to: about }
              if (!(await team.act('messages', body, 'Sent.'))) return false
              await read()
              return true
            }}
          />
        </details>
      )}
      {isUnread && why !== 'review' && (
        <button type="button" onClick={() => void read()}>
          Mark as read
        </button>
      )}
    </article>
  )
}

const linkOf = ({ workspace }: Team, { page, about }: Thing): string => {
  if (page.kind === 'task') return linkTo('task', page.id)
  if (page.kind === 'editor') return linkTo('file', page.path)
  if (page.kind !== 'suggestion') return linkTo('feed')
  const facts = findSuggestion(workspace.doc, about)?.facts
  return facts === undefined ? linkTo('files') : linkTo('suggestions', facts.key)
}
