import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { FileVersion } from '../../workspace/files/file-state.ts'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import { Shadow } from '../parts/shadow.tsx'
import type { Team } from '../state/team.ts'

/** Versions that are read at a time (count). */
const PAGE = 100

interface Props {
  team: Team
  path: string
  mayWrite: boolean
}

/** The kept versions of a file: a slider goes through them, a diff shows the change. */
export const History = ({ team, path, mayWrite }: Props) => {
  /** Oldest first. */
  const versions = useSignal<readonly FileVersion[] | null>(null)
  const hasMore = useSignal(false)
  /** The chosen one, by its distance from the newest. */
  const back = useSignal(0)
  const toNow = useSignal(false)
  const now = team.snapshot.value.files.find(({ info }) => info.file_key === path)?.info.version
  const read = async (before?: number) => {
    const query = new URLSearchParams({ key: path, limit: String(PAGE) })
    if (before !== undefined) query.set('before', String(before))
    const found = await team.ask<{ versions: FileVersion[]; more: boolean }>(
      ...(['GET', `files/log?${query}`] as const),
    )
    if (found === null) return
    const known = before === undefined ? [] : (versions.value ?? [])
    versions.value = [...found.versions.toReversed(), ...known]
    hasMore.value = found.more
  }
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new version is read
  useEffect(() => {
    void read()
  }, [path, now])
  const all = versions.value
  if (all === null) return <Empty>Loading…</Empty>
  const at = Math.max(0, all.length - 1 - back.value)
  const chosen = all[at]
  if (chosen === undefined) return <Empty>No version of it is kept yet.</Empty>
  const other = toNow.value ? undefined : all[at - 1]
  return (
    <section class="panel" aria-label="History">
      <label>
        Version
        <input
          type="range"
          min={0}
          max={all.length - 1}
          value={at}
          aria-valuetext={`version ${chosen.version} by ${team.nameOf(chosen.last_editor ?? '')}`}
          onInput={({ currentTarget }) => {
            back.value = all.length - 1 - Number(currentTarget.value)
          }}
        />
      </label>
      <p role="status">
        <b>Version {chosen.version}</b>, <Editors team={team} version={chosen} />{' '}
        <Ago at={Date.parse(chosen.updated_at)} now={team.snapshot.value.now} />, +
        {chosen.added_lines} −{chosen.removed_lines} lines
      </p>
      <div class="buttons">
        {hasMore.value && (
          <button type="button" onClick={() => void read(all[0]!.version)}>
            Older versions
          </button>
        )}
        <label class="check">
          <input
            type="checkbox"
            checked={toNow.value}
            onChange={({ currentTarget }) => {
              toNow.value = currentTarget.checked
            }}
          />
          Compare with the text as it is now
        </label>
        {mayWrite && at < all.length - 1 && now !== undefined && (
          <Restore {...{ team, path, version: chosen.version, base: all.at(-1)!.version }} />
        )}
      </div>
      <Change
        {...{ team, path }}
        from={other?.version ?? null}
        to={chosen.version}
        toNow={toNow.value}
      />
    </section>
  )
}

const Editors = ({ team, version }: { team: Team; version: FileVersion }) => (
  <>
    {version.editors.map((id) => (
      <span key={id}>
        <Who team={team} id={id} />{' '}
      </span>
    ))}
  </>
)

const contentOf = async (team: Team, path: string, version: number): Promise<string | null> => {
  const query = new URLSearchParams({ key: path, version: String(version) })
  const found = await team.ask<{ version: { content: string } }>('GET', `files/version?${query}`)
  return found === null ? null : found.version.content
}

/** Makes the text what it was. `base`: the newest version that this person was shown; later edits of others merge. */
const Restore = ({
  team,
  path,
  version,
  base,
}: {
  team: Team
  path: string
  version: number
  base: number
}) => (
  <button
    type="button"
    onClick={async () => {
      const content = await contentOf(team, path, version)
      if (content === null) return
      const body = { key: path, content, base_version: base }
      if ((await team.ask('PUT', 'files/content', body)) !== null) {
        team.tell(`${path} is as it was in version ${version}.`)
      }
    }}
  >
    Restore version {version}
  </button>
)

interface Compared {
  team: Team
  path: string
  /** Null: it was empty before. */
  from: number | null
  to: number
  /** Compares `to` with the text as it is now. */
  toNow: boolean
}

const Change = ({ team, path, from, to, toNow }: Compared) => {
  const open = async (root: ShadowRoot) => {
    const [{ openDiff }, before, after] = await Promise.all([
      import('../editor/diff.ts'),
      toNow ? contentOf(team, path, to) : from === null ? '' : contentOf(team, path, from),
      toNow ? textNow(team, path) : contentOf(team, path, to),
    ])
    if (before === null || after === null) return () => {}
    return openDiff(root, before, after, toNow ? `Changes since version ${to}` : `Version ${to}`)
  }
  return (
    <>
      {toNow && (
        <p class="faint">
          Changes of <Said text={path} /> since version {to}:
        </p>
      )}
      <Shadow isLow open={open} of={`${path} ${from} ${to} ${toNow}`} />
    </>
  )
}

const textNow = async (team: Team, path: string): Promise<string | null> => {
  const query = new URLSearchParams({ key: path })
  const found = await team.ask<{ file: { content: string } }>('GET', `files/content?${query}`)
  return found === null ? null : found.file.content
}
