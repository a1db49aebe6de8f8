import { useSignal } from '@preact/signals'
import { Ago, Empty, Said, Who } from '../parts/parts.tsx'
import { linkTo } from '../state/place.ts'
import type { Team } from '../state/team.ts'

/** The shared files, and who is in them. */
export const Files = ({ team }: { team: Team }) => {
  const { files, now, me } = team.snapshot.value
  const wanted = useSignal('')
  const shown = files.filter(({ info }) =>
    info.file_key.toLowerCase().includes(wanted.value.toLowerCase()),
  )
  return (
    <>
      <label>
        {me === null ? 'Find a file' : 'Find a file, or name a new one'}
        <input
          type="search"
          value={wanted}
          dir="auto"
          onInput={({ currentTarget }) => {
            wanted.value = currentTarget.value
          }}
          onKeyDown={({ key }) => {
            const first = shown[0]?.info.file_key ?? (me === null ? undefined : wanted.value)
            if (key === 'Enter' && first) location.hash = linkTo('file', first)
          }}
        />
      </label>
      {files.length === 0 && <Empty>No files yet.</Empty>}
      {files.length > 0 && shown.length === 0 && (
        <Empty>No file has this in its name{me !== null && '; Enter makes a new one'}.</Empty>
      )}
      <ul class="files">
        {shown.map(({ info, editors }) => (
          <li key={info.file_key}>
            <a href={linkTo('file', info.file_key)}>
              <Said text={info.file_key} />
            </a>{' '}
            <small class="faint">
              version {info.version}, <Who team={team} id={info.last_editor} />{' '}
              <Ago at={Date.parse(info.updated_at)} now={now} />
            </small>
            {editors.map((id) => (
              <Who key={id} team={team} id={id} />
            ))}
          </li>
        ))}
      </ul>
    </>
  )
}
