import { checkFileKey } from '../../../workspace/document/path.ts'
import { appendText } from '../../../workspace/files/file-edit.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import type { Verb } from '../../command/call.ts'
import { writeFile } from '../../command/file-write.ts'
import { mergingWrite, WorkspaceSession } from '../../command/workspace-session.ts'

/** Adds lines at the end of a file, and creates it where there is none. */
export const fileAppend: Verb = async (call) => {
  const key = checkFileKey(call.flag('key')!)
  const text = call.body('text')
  const team = await WorkspaceSession.open(call, true)
  const seen = await team.replica.seen(key)
  return mergingWrite(
    call,
    { key, text },
    () => {
      const current = findLeaf(team.doc, key) === null ? null : readFile(team.doc, key).content
      const content = appendText(current ?? '', text)
      const { known, ...outcome } = writeFile(team, { key, content, base: current })
      if (seen !== null && seen.content === current)
        team.replica.keepSeen(key, { version: known(seen), content })
      return outcome
    },
    team,
  )
}
