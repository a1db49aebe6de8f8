import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { readBy } from '../../tui/model/for-me.ts'
import { offersFor, type TaskOffer } from '../../workspace/tasks/task-offers.ts'
import type { Task } from '../../workspace/tasks/tasks.ts'
import { TextForm } from '../parts/forms.tsx'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

type Act = (name: string, body: object, done: string) => Promise<boolean>

const BUTTONS = ['approve', 'claim', 'release', 'cancel'] as const

/** The commands that the rules of tasks accept from this person. */
const Offers = ({ offers, act }: { offers: ReadonlySet<TaskOffer>; act: Act }) => (
  <>
    {offers.has('answer') && (
      <TextForm
        {...{ label: 'Your answer', button: 'Answer' }}
        send={(text) => act('answer', { text }, 'Answered.')}
      />
    )}
    {BUTTONS.some((one) => offers.has(one)) && (
      <div class="buttons">
        {offers.has('approve') && (
          <button type="button" onClick={() => void act('approve', {}, 'Approved.')}>
            Approve
          </button>
        )}
        {offers.has('claim') && (
          <button type="button" onClick={() => void act('claim', {}, 'It is yours.')}>
            Claim
          </button>
        )}
        {offers.has('release') && (
          <button type="button" onClick={() => void act('release', {}, 'Released.')}>
            Release
          </button>
        )}
        {offers.has('cancel') && (
          <button type="button" onClick={() => void act('cancel', {}, 'Canceled.')}>
            Cancel
          </button>
        )}
      </div>
    )}
    {offers.has('decline') && (
      <details>
        <summary>Decline…</summary>
        <TextForm
          {...{ label: 'Why not', button: 'Decline' }}
          send={(message) => act('decline', { message }, 'Declined.')}
        />
      </details>
    )}
  </>
)

/** States that the owner of a task gives it, and what each means. */
const STATES = [
  ['completed', 'completed: this is the result'],
  ['working', 'working: this is how far it is'],
  ['input-required', 'input-required: this is a question'],
  ['failed', 'failed: this is why'],
] as const

/** The owner's words: a result, progress, a question, a failure. */
const Respond = ({ act }: { act: Act }) => {
  const state = useSignal<string>(STATES[0][0])
  return (
    <TextForm
      {...{ label: 'Your result', button: 'Respond', isRequired: false }}
      send={(message) => act('status', { state: state.value, message }, 'Responded.')}
    >
      <label>
        State
        <select
          value={state}
          onChange={({ currentTarget }) => {
            state.value = currentTarget.value
          }}
        >
          {STATES.map(([name, words]) => (
            <option key={name} value={name}>
              {words}
            </option>
          ))}
        </select>
      </label>
    </TextForm>
  )
}

/** The commands that this person can give for a task now. */
export const TaskActions = ({ team, task }: { team: Team; task: Task }) => {
  const { me, capabilities } = team.snapshot.value
  const act: Act = (name, body, done) =>
    team.act(`tasks/${encodeURIComponent(task.task_id)}/${name}`, body, done)
  const offers = offersFor(task, me, capabilities)
  return (
    <>
      <Offers offers={offers} act={act} />
      {offers.has('respond') && task.owner === me && <Respond act={act} />}
    </>
  )
}

/** One task: what it is, what was said of it, and what this person can do with it. */
export const TaskPage = ({ team, id }: { team: Team; id: string }) => {
  const { taskById, me, now, historyOf, unread } = team.snapshot.value
  // Whoever opens a task has read the messages of it.
  useEffect(() => {
    const ids = readBy(unread, { kind: 'task', id, top: 0 })
    if (ids.length > 0) void team.acknowledge(ids)
  }, [id, unread, team])
  const task = taskById.get(id as never)
  if (task === undefined) return <Empty>The board has no such task: it may be archived.</Empty>
  const act: Act = (name, body, done) =>
    team.act(`tasks/${encodeURIComponent(id)}/${name}`, body, done)
  return (
    <article class="task">
      <h2>
        <Said text={task.task} />
      </h2>
      <p>
        <b class={`state-${task.status}`}>{task.status}</b> · from{' '}
        <Who team={team} id={task.from_agent} />
        {task.owner !== null && (
          <>
            {' · worked on by '}
            <Who team={team} id={task.owner} />
          </>
        )}
      </p>
      {task.message !== '' && (
        <p class="said">
          <Said text={task.message} />
        </p>
      )}
      <TaskActions team={team} task={task} />
      {(task.artifacts ?? []).length > 0 && (
        <ul>
          {task.artifacts!.map(({ file_key, version }) => (
            <li key={file_key}>
              <a href={linkTo('file', file_key)}>
                <Said text={file_key} />
              </a>{' '}
              version {version}
            </li>
          ))}
        </ul>
      )}
      {me !== null && (
        <TextForm
          {...{ label: 'Note', button: 'Add note' }}
          send={(text) => act('note', { text }, 'Noted.')}
        />
      )}
      <h3>History</h3>
      <ol class="feed">
        {historyOf(task.task_id)
          .toReversed()
          .map(({ state, by, at, message, revision }) => (
            <li key={revision}>
              <Who team={team} id={by} /> {state}{' '}
              <small class="faint">
                <Ago at={at} now={now} />
              </small>
              {message !== '' && (
                <p>
                  <Said text={message} />
                </p>
              )}
            </li>
          ))}
      </ol>
    </article>
  )
}
