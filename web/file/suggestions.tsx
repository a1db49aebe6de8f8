import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { SuggestedChange, SuggestionDetail } from '../../workspace/files/suggestions.ts'
import { TextForm } from '../parts/forms.tsx'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import type { Team } from '../state/team.ts'

/** Suggestions that are shown of a file, the newest (count). */
const MOST = 30

interface Props {
  team: Team
  path: string
  mayWrite: boolean
}

/** The suggestions for a file, with their hunks to accept or reject. */
export const Suggestions = ({ team, path, mayWrite }: Props) => {
  const all = useSignal(false)
  const found = useSignal<readonly SuggestionDetail[] | null>(null)
  const { suggestionStamp, files } = team.snapshot.value
  // Hunks are placed on the text as it is: each version of it has them read again.
  const version = files.find(({ info }) => info.file_key === path)?.info.version
  const isAll = all.value
  // biome-ignore lint/correctness/useExhaustiveDependencies: each of these changes what is found
  useEffect(() => {
    let isGone = false
    const read = async () => {
      const read = await suggestionsFor(team, path, isAll)
      if (!isGone && read !== null) found.value = read
    }
    void read()
    return () => {
      isGone = true
    }
  }, [path, isAll, suggestionStamp, version])
  return (
    <section class="panel" aria-label="Suggestions">
      <label class="check">
        <input
          type="checkbox"
          checked={all.value}
          onChange={({ currentTarget }) => {
            all.value = currentTarget.checked
          }}
        />
        Show ended ones, too
      </label>
      {found.value === null && <Empty>Loading…</Empty>}
      {found.value?.length === 0 && <Empty>No suggestion waits.</Empty>}
      {(found.value ?? []).map((one) => (
        <One key={one.suggestion_id} {...{ team, mayWrite }} suggestion={one} />
      ))}
    </section>
  )
}

/** The suggestions with their hunks; null: the server did not answer. */
const suggestionsFor = async (
  team: Team,
  path: string,
  isAll: boolean,
): Promise<SuggestionDetail[] | null> => {
  const query = new URLSearchParams({ key: path, all: String(isAll) })
  const list = await team.ask<{ suggestions: { suggestion_id: string }[] }>(
    ...(['GET', `suggestions?${query}`] as const),
  )
  if (list === null) return null
  const whole = await Promise.all(
    list.suggestions
      .slice(0, MOST)
      .map(({ suggestion_id }) =>
        team.ask<{ suggestion: SuggestionDetail }>('GET', `suggestions/${suggestion_id}`),
      ),
  )
  return whole.flatMap((one) => one?.suggestion ?? [])
}

interface OneProps {
  team: Team
  mayWrite: boolean
  suggestion: SuggestionDetail
}

const One = ({ team, suggestion, mayWrite }: OneProps) => {
  const { me, now } = team.snapshot.value
  const { suggestion_id: id, by, at, note, state, approve_by, waiting } = suggestion
  const { changes, decisions } = suggestion
  const isMine = by === me
  const mayAccept = mayWrite && (approve_by === null || approve_by === me)
  const judge = (verdict: 'accept' | 'reject', body: object, done: string) =>
    team.act(`suggestions/${encodeURIComponent(id)}/${verdict}`, body, done)
  return (
    <article class="card">
      <h3>
        {id} by <Who team={team} id={by} /> <small class="status">{state}</small>
      </h3>
      <p class="faint">
        <Ago at={Date.parse(at)} now={now} />
        {approve_by !== null && (
          <>
            {' · to be accepted by '}
            <Who team={team} id={approve_by} />
          </>
        )}
      </p>
      {note !== '' && (
        <p>
          <Said text={note} />
        </p>
      )}
      {changes === undefined && <Empty>It has ended; the record has its text.</Empty>}
      <ol class="hunks">
        {(changes ?? []).map((change) => (
          <Hunk key={change.hunk} {...{ change, mayAccept }} mayReject={mayAccept} judge={judge} />
        ))}
      </ol>
      {decisions.map(({ by: judgeId, verdict, hunks, reason }) => (
        <p key={hunks.join()} class="faint">
          <Who team={team} id={judgeId} /> {verdict} hunk {hunks.join(', ')}
          {reason !== '' && (
            <>
              : <Said text={reason} />
            </>
          )}
        </p>
      ))}
      {waiting > 0 && mayAccept && (
        <button type="button" onClick={() => void judge('accept', {}, 'Accepted.')}>
          Accept all that applies
        </button>
      )}
      {waiting > 0 && (mayAccept || isMine) && (
        <details>
          <summary>{isMine ? 'Withdraw…' : 'Reject all that waits…'}</summary>
          <TextForm
            label={isMine ? 'Why you withdraw it' : 'Why you reject it'}
            button={isMine ? 'Withdraw' : 'Reject'}
            isRequired={false}
            send={(reason) => judge('reject', { reason }, isMine ? 'Withdrawn.' : 'Rejected.')}
          />
        </details>
      )}
    </article>
  )
}

interface HunkProps {
  change: SuggestedChange
  mayAccept: boolean
  mayReject: boolean
  judge: (verdict: 'accept' | 'reject', body: object, done: string) => Promise<boolean>
}

const STATES: Readonly<Record<string, string>> = {
  applies: '',
  moved: 'the lines around it have moved',
  conflict: 'its place in the text has changed: it does not apply any more',
  accepted: 'accepted',
  rejected: 'rejected',
}

const Hunk = ({ change, mayAccept, mayReject, judge }: HunkProps) => {
  const { hunk, state, line, old, new: text } = change
  const waits = state === 'applies' || state === 'moved' || state === 'conflict'
  const reason = useSignal('')
  return (
    <li class={`hunk ${state}`}>
      <p class="faint">
        Hunk {hunk}, line {line} {STATES[state]}
      </p>
      <Lines of={old} sign="−" />
      <Lines of={text} sign="+" />
      {waits && (
        <div class="buttons">
          {mayAccept && state !== 'conflict' && (
            <button
              type="button"
              aria-label={`Accept hunk ${hunk}`}
              onClick={() => void judge('accept', { hunks: [hunk] }, `Hunk ${hunk} is accepted.`)}
            >
              Accept
            </button>
          )}
          {mayReject && (
            <>
              <button
                type="button"
                aria-label={`Reject hunk ${hunk}`}
                onClick={() =>
                  void judge(
                    ...(['reject', { hunks: [hunk], reason: reason.value }] as const),
                    `Hunk ${hunk} is rejected.`,
                  )
                }
              >
                Reject
              </button>
              <input
                aria-label={`Reason for rejecting hunk ${hunk}`}
                placeholder="reason"
                dir="auto"
                value={reason}
                onInput={({ currentTarget }) => {
                  reason.value = currentTarget.value
                }}
              />
            </>
          )}
        </div>
      )}
    </li>
  )
}

const Lines = ({ of, sign }: { of: string; sign: string }) =>
  of === '' ? null : (
    <pre class={sign === '+' ? 'added' : 'removed'} dir="auto">
      {of
        .replace(/\n$/, '')
        .split('\n')
        .map((line, i) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name
          <span key={i} class="line">
            <span class="sign">{sign} </span>
            <Said text={line} />
            {'\n'}
          </span>
        ))}
    </pre>
  )
