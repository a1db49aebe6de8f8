import { resolve } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { ClawError } from '../../protocol/errors.ts'
import { summaryOf } from '../ops/manifest.ts'
import { newServerClients } from '../ops/new-server-clients.ts'
import { restoreBackup } from '../ops/restore.ts'
import { verifyCopy } from '../ops/verify/verify.ts'
import { shownPlace } from '../storage/place.ts'
import type { Command } from './call.ts'
import { jsonOf } from './command.ts'

export const restore: Command = async (call) => {
  const { place, json } = call
  const data = shownPlace(place)
  let invalid = 0
  const manifest = await restoreBackup(
    resolve(call.value('backup')!),
    place,
    'copy',
    async (unfinished) => {
      const { problems } = await verifyCopy(unfinished)
      // Invalid entries that an older server accepted are restored as they are; repair removes them.
      const [first, ...others] = problems.filter(({ kind }) => kind === 'damaged')
      invalid = problems.filter(({ kind }) => kind === 'invalid').length
      if (first === undefined) return newServerClients(unfinished)
      const more = others.length > 0 ? ` (and ${others.length} more)` : ''
      throw new ClawError(
        'bad_backup',
        `the backup is damaged: ${first.where}: ${first.what}${more}`,
        'take another one; "clawlink-sync verify BACKUP" lists everything',
      )
    },
  )
  const summary = summaryOf(manifest)
  call.print(
    json
      ? jsonOf({ data, ...summary, invalid })
      : `restored ${counted(summary.workspaces, 'workspace')} into ${data}, as of ${summary.at}\n` +
          (invalid > 0
            ? `invalid in it: ${counted(invalid, 'entry')}; "clawlink-sync repair" removes them\n`
            : '') +
          'start the server, then "clawlink-sync recover" accepts from the agents what the backup lacks\n' +
          'agents revoked since the backup can get in again: see "clawlink-sync agents"\n' +
          (process.getuid?.() === 0
            ? `the folder is owned by root; if the server runs as another user: chown -R USER ${place.data}\n`
            : ''),
  )
  return 0
}
