import { useSignal } from '@preact/signals'
import type { UndoneFile, UndoReport } from '../../workspace/authorship/undo-report.ts'
import { AgentSelect } from '../parts/forms.tsx'
import { Empty, Said, Who } from '../parts/parts.tsx'
import type { Team } from '../state/team.ts'

/** Takes the changes of one agent out of a file: first shows what that would do, and where it meets the work of others. */
export const Undo = ({ team, path }: { team: Team; path: string }) => {
  const { me, role } = team.snapshot.value
  const agent = useSignal('')
  const planned = useSignal<UndoReport | null>(null)
  /** The last undo, by its id. */
  const last = useSignal<string | null>(null)
  const ask = (wanted: object) => team.ask<UndoReport>('POST', 'undo', { key: path, ...wanted })
  const plan = async () => {
    planned.value = await ask({ agent: agent.value, dry_run: true })
  }
  const undo = async (wanted: object) => {
    const done = await ask(wanted)
    if (done === null) return
    planned.value = null
    last.value = done.undo
    team.tell(done.undo === null ? 'Nothing of it was in the file.' : 'Undone.')
  }
  const isAllowed = role === 'admin' || agent.value === me
  return (
    <section class="panel" aria-label="Undo by agent">
      <AgentSelect
        {...{ team, value: agent.value, anyone: 'choose whose changes', label: 'Changes of' }}
        withMe
        onChange={(id) => {
          agent.value = id
          planned.value = null
        }}
      />
      <button type="button" disabled={agent.value === ''} onClick={() => void plan()}>
        Show what would change
      </button>
      {planned.value !== null && (
        <>
          {planned.value.files.length === 0 && <Empty>Nothing of theirs is in this file.</Empty>}
          {planned.value.files.map((file) => (
            <Planned key={file.file_key} {...{ team, file }} />
          ))}
          {planned.value.files.length > 0 &&
            (isAllowed ? (
              <button
                type="button"
                class="danger"
                onClick={() => void undo({ agent: agent.value })}
              >
                Undo the changes of {team.nameOf(agent.value)} in this file
              </button>
            ) : (
              <Empty>Only an admin undoes the work of others.</Empty>
            ))}
        </>
      )}
      {last.value !== null && (
        <button type="button" onClick={() => void undo({ id: last.value })}>
          Take the undo back
        </button>
      )}
    </section>
  )
}

const Planned = ({ team, file }: { team: Team; file: UndoneFile }) => {
  const { removed, restored, lost, overlaps, diff } = file
  return (
    <>
      <p role="status">
        {removed} characters are taken out, {restored} are put back
        {lost > 0 && `, ${lost} cannot come back: nobody keeps them`}.
      </p>
      {overlaps.map(({ from_line, to_line, by }) => (
        <p key={from_line} class="overlap">
          {from_line === to_line
            ? `Line ${to_line} overlaps`
            : `Lines ${from_line}–${to_line} overlap`}{' '}
          with the work of{' '}
          {by.map((id) => (id === '?' ? 'somebody ' : <Who key={id} team={team} id={id} />))}
        </p>
      ))}
      {diff == null ? (
        <Empty>The diff is left out: clawlink-agent undo --dry-run shows it.</Empty>
      ) : (
        <pre dir="auto">
          {diff
            .replace(/^--- .*\n\+\+\+ .*\n/, '')
            .replace(/\n$/, '')
            .split('\n')
            .map((line, i) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
              <span key={i} class={`line ${SIGNS[line[0] ?? ''] ?? ''}`}>
                <Said text={line} />
                {'\n'}
              </span>
            ))}
        </pre>
      )}
    </>
  )
}

const SIGNS: Readonly<Record<string, string>> = { '+': 'added', '-': 'removed', '@': 'faint' }
