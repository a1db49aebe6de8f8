import { useSignal } from '@preact/signals'
import { AgentSelect, TextForm } from '../parts/forms.tsx'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

/** Entries that are shown (count). */
const SHOWN = 200

/** Messages and events, the newest first. */
export const Feed = ({ team }: { team: Team }) => {
  const { feed, now, me } = team.snapshot.value
  const to = useSignal('')
  const send = (content: string) =>
    to.value === ''
      ? team.act('broadcasts', { content }, 'Sent to all.')
      : team.act('messages', { content, to: to.value }, `Sent to ${team.nameOf(to.value)}.`)
  const shown = feed.slice(-SHOWN).reverse()
  return (
    <>
      {me !== null && (
        <TextForm label="Message" button="Send" send={send}>
          <AgentSelect
            {...{ team, value: to.value, anyone: 'all' }}
            onChange={(id) => {
              to.value = id
            }}
          />
        </TextForm>
      )}
      {shown.length === 0 && <Empty>Nothing was said yet.</Empty>}
      <ol class="feed">
        {shown.map((entry) => (
          <li key={entry.id}>
            <Who team={team} id={entry.from} />
            {entry.to !== null && (
              <>
                {' to '}
                <Who team={team} id={entry.to} />
              </>
            )}{' '}
            <small class="faint">
              <Ago at={entry.at} now={now} />
            </small>
            <p>
              {entry.task !== undefined ? (
                <a href={linkTo('task', entry.task)}>
                  <Said text={entry.text} />
                </a>
              ) : entry.file !== undefined ? (
                <a href={linkTo('file', entry.file)}>
                  <Said text={entry.text} />
                </a>
              ) : (
                <Said text={entry.text} />
              )}
            </p>
          </li>
        ))}
      </ol>
    </>
  )
}
