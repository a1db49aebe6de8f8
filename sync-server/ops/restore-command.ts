import { ClawError } from '../../workspace/errors.ts'
import type { Command } from '../commands.ts'
import { COMMON_HELP, jsonOf, readCall } from './command.ts'
import { newServerClients } from './new-server-clients.ts'
import { restoreBackup } from './restore.ts'
import { summaryOf } from './routes.ts'
import { verifyFolder } from './verify.ts'

const HELP = `usage: clawlink-sync restore BACKUP [--data DIR] [--json]

Makes a data folder of a backup. DIR must be new or empty: stop the server and move its old folder aside. Every record
is checked before the folder gets its name; a backup with anything wrong is not restored.

${COMMON_HELP}
examples:
  mv ~/.clawlink/sync ~/.clawlink/sync.old
  clawlink-sync restore /var/backups/clawlink/2026-01-31
`

export const restore: Command = async (call) => {
  const given = readCall(call, { help: HELP, flags: {}, needs: 'the backup' })
  if (given === null) return 0
  const { data, json } = given
  const manifest = await restoreBackup(given.path!, data, 'copy', async (folder) => {
    const [first, ...others] = (await verifyFolder(folder)).problems
    if (first === undefined) return newServerClients(folder)
    const more = others.length > 0 ? ` (and ${others.length} more)` : ''
    throw new ClawError(
      'bad_backup',
      `the backup is damaged: ${first.where}: ${first.what}${more}`,
      'take another one; "clawlink-sync verify BACKUP" lists everything',
    )
  })
  const summary = summaryOf(manifest)
  call.print(
    json
      ? jsonOf({ data, ...summary })
      : `restored ${summary.workspaces} workspaces into ${data}, as of ${summary.at}\n` +
          'once it runs, "clawlink-sync recover" takes from the agents what the backup lacks of it\n',
  )
  return 0
}
