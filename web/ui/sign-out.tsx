import { useSignal } from '@preact/signals'
import { call } from '../session/api.ts'
import { forgetLast } from '../session/last.ts'
import type { Team } from '../state/team.ts'

/** Has this browser forget the credential and its copy of the workspace; asks first where changes are not sent yet. */
export const SignOut = ({ team }: { team: Team }) => {
  const isAsked = useSignal(false)
  const isSaved = team.saving.value === 'saved' || team.ended.value !== null
  const signOut = async () => {
    if (!isSaved && !isAsked.value) {
      isAsked.value = true
      return
    }
    // A credential that has ended cannot be asked for its end.
    await call(team.workspace.where.workspace, 'POST', 'api/session/end', {}).catch(() => {})
    await team.workspace.forget()
    forgetLast()
    location.hash = ''
    location.reload()
  }
  return (
    <button type="button" class={isAsked.value ? 'danger' : 'quiet'} onClick={() => void signOut()}>
      {isAsked.value ? 'Sign out, and lose what is not sent' : 'Sign out'}
    </button>
  )
}
