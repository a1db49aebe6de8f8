import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { StoryEvent } from '../../protocol/story.ts'
import { AgentSelect } from '../parts/forms.tsx'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

/** Events that are asked for at first, and at most (count). */
const FIRST = 50
const MOST = 500

/** The story of the workspace, of all or of an agent, a task or a file. */
export const Record = ({ team }: { team: Team }) => {
  const { me, files, tasks } = team.snapshot.value
  const of = useSignal({ agent: '', task: '', file: '' })
  const limit = useSignal(FIRST)
  const story = useSignal<{ events: StoryEvent[]; more: boolean } | null>(null)
  const wanted = of.value
  const read = async () => {
    const query = new URLSearchParams({ limit: String(limit.value) })
    for (const [name, value] of Object.entries(wanted)) if (value !== '') query.set(name, value)
    if (me !== null) query.set('for', me)
    const found = await team.ask<{ events: StoryEvent[]; more: boolean }>(
      ...(['GET', `record/story?${query}`] as const),
    )
    // A later choice may have its answer already.
    if (found !== null && of.value === wanted) story.value = found
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: another choice is another story
  useEffect(() => {
    void read()
  }, [wanted, limit.value])
  const choose = (one: Partial<typeof wanted>) => {
    limit.value = FIRST
    of.value = { ...of.value, ...one }
  }
  return (
    <>
      <search class="filters" aria-label="Filter">
        <AgentSelect
          {...{ team, value: wanted.agent, anyone: 'everybody', label: 'Agent', withMe: true }}
          onChange={(agent) => choose({ agent })}
        />
        <Choice
          {...{ label: 'Task', value: wanted.task, all: 'all tasks' }}
          options={tasks.map(({ task_id, task }) => [task_id, task])}
          onChange={(task) => choose({ task })}
        />
        <Choice
          {...{ label: 'File', value: wanted.file, all: 'all files' }}
          options={files.map(({ info }) => [info.file_key, info.file_key])}
          onChange={(file) => choose({ file })}
        />
        <button type="button" onClick={() => void read()}>
          Read again
        </button>
      </search>
      {story.value === null && <Empty>Loading…</Empty>}
      {story.value?.events.length === 0 && <Empty>Nothing of it happened.</Empty>}
      <ol class="feed" aria-label="What happened">
        {(story.value?.events ?? []).toReversed().map((event) => (
          <li
            key={`${event.at} ${event.kind} ${event.message_id ?? event.task_id ?? ''} ${event.text}`}
          >
            <Told team={team} event={event} />
          </li>
        ))}
      </ol>
      {story.value?.more === true && limit.value < MOST && (
        <button
          type="button"
          onClick={() => {
            limit.value = MOST
          }}
        >
          Show more
        </button>
      )}
    </>
  )
}

const Told = ({ team, event }: { team: Team; event: StoryEvent }) => {
  const { agent_id, kind, at, task_id } = event
  const text = withNames(team, event.text)
  const isTitled = task_id !== undefined && text.includes(titleOf(team, task_id))
  return (
    <>
      {agent_id === null ? 'the server' : <Who team={team} id={agent_id} />}{' '}
      <small class="faint">
        {kind} <Ago at={Date.parse(at)} now={team.snapshot.value.now} />
      </small>
      <p>
        {isTitled ? (
          <a href={linkTo('task', task_id)}>
            <Said text={text} />
          </a>
        ) : (
          <Said text={text} />
        )}{' '}
        <Places team={team} event={event} />
      </p>
    </>
  )
}

const titleOf = (team: Team, id: string): string => team.snapshot.value.taskById.get(id)?.task ?? id

/** The server's words have ids of agents. */
const withNames = (team: Team, text: string): string =>
  text.replace(/\ba-[0-9a-z]{12}\b/g, (id) => team.nameOf(id))

const Places = ({
  team,
  event: { task_id, file_key, version, text },
}: {
  team: Team
  event: StoryEvent
}) => (
  <>
    {file_key !== undefined && (
      <a href={linkTo('file', file_key)}>
        <Said text={file_key} />
        {version !== undefined && ` version ${version}`}
      </a>
    )}{' '}
    {task_id !== undefined && !text.includes(titleOf(team, task_id)) && (
      <a href={linkTo('task', task_id)}>
        <Said text={titleOf(team, task_id)} />
      </a>
    )}
  </>
)

interface ChoiceProps {
  label: string
  value: string
  all: string
  options: readonly (readonly [value: string, shown: string])[]
  onChange: (value: string) => void
}

const Choice = ({ label, value, all, options, onChange }: ChoiceProps) => (
  <label>
    {label}
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">{all}</option>
      {options.map(([id, shown]) => (
        <option key={id} value={id}>
          {shown}
        </option>
      ))}
    </select>
  </label>
)
