import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import type { Team } from '../state/team.ts'

interface FormProps {
  label: string
  /** Does it; true clears the text. */
  send: (text: string) => Promise<boolean>
  button: string
  children?: ComponentChildren
  isRequired?: boolean
}

/** A text with a button; Ctrl-Enter sends it. */
export const TextForm = ({ label, send, button, children, isRequired = true }: FormProps) => {
  const text = useSignal('')
  const isBusy = useSignal(false)
  const submit = async (event: Event) => {
    event.preventDefault()
    if (isBusy.value || (isRequired && text.value.trim() === '')) return
    isBusy.value = true
    if (await send(text.value)) text.value = ''
    isBusy.value = false
  }
  return (
    <form class="text-form" onSubmit={submit}>
      <label>
        {label}
        <textarea
          rows={2}
          value={text}
          dir="auto"
          onInput={({ currentTarget }) => {
            text.value = currentTarget.value
          }}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) void submit(event)
          }}
        />
      </label>
      {children}
      <button type="submit" disabled={isBusy}>
        {button}
      </button>
    </form>
  )
}

/** A choice of agents. */
export const AgentSelect = ({
  team,
  value,
  anyone,
  onChange,
  label = 'To',
  withMe = false,
}: {
  team: Team
  value: string
  anyone: string
  onChange: (id: string) => void
  label?: string
  withMe?: boolean
}) => (
  <label>
    {label}
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      <option value="">{anyone}</option>
      {team.snapshot.value.agents
        .filter(({ agent }) => withMe || agent.agent_id !== team.snapshot.value.me)
        .map(({ agent }) => (
          <option key={agent.agent_id} value={agent.agent_id}>
            {agent.name}
          </option>
        ))}
    </select>
  </label>
)

export const DelegateForm = ({ team }: { team: Team }) => {
  const to = useSignal('')
  const send = (task: string) =>
    team.act(
      'tasks',
      { task, ...(to.value === '' ? { later: true } : { to: to.value }) },
      'Delegated.',
    )
  return (
    <TextForm label="New task" button="Delegate" send={send}>
      <AgentSelect
        {...{ team, value: to.value, anyone: 'anyone who can' }}
        onChange={(id) => {
          to.value = id
        }}
      />
    </TextForm>
  )
}
