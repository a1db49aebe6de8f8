import { ClawError } from '../../protocol/errors.ts'
import { type Removed, type Repaired, repairData } from '../ops/repair.ts'
import { openData } from '../ops/source.ts'
import { shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import type { Command } from './call.ts'
import { jsonOf } from './command.ts'
import { checkKnown } from './export-command.ts'

export const repair: Command = async ({ place, json, value, has, print }) => {
  const isDry = has('dry-run')
  const log = await openData(place, !isDry)
  const { data } = place
  const shown = shownPlace(place)
  if (log === null) {
    throw new ClawError(
      'data_locked',
      `${shown} is in use by a server`,
      'stop the server, run this again, and start it',
    )
  }
  const workspace = value('workspace')
  try {
    const all = await log.workspaces()
    const names = workspace === undefined ? all : [checkKnown(workspace, all)]
    const repaired = await repairData(log, data, names, { isDry, now: Date.now() })
    if (json) print(jsonOf({ repaired: shown, dry_run: isDry, ...repaired }))
    else print(textOf(shown, isDry, repaired))
    const isWell = repaired.left.length === 0 && (!isDry || repaired.removed.length === 0)
    return isWell ? 0 : 1
  } catch (error) {
    throw storeError(shown, error)
  } finally {
    await log.close()
  }
}

const textOf = (data: string, isDry: boolean, { removed, left, kept }: Repaired): string => {
  const done = isDry ? 'would be taken out' : 'taken out'
  const lines = [
    ...removed.map((one) => `${done}  ${lineOf(one)}`),
    ...left.map(({ workspace, what }) => `left  workspace ${workspace}: ${what}`),
    `${data}: ${removed.length} things ${done}${kept === null ? '' : `, kept in ${kept}`}; ${
      left.length === 0 ? 'nothing else is wrong' : `${left.length} things cannot be repaired`
    }`,
  ]
  return `${lines.join('\n')}\n`
}

const lineOf = ({ workspace, path, reason, by, client, clock, length }: Removed): string =>
  `workspace ${workspace}, ${path || 'nowhere'}: ${reason} (by ${by ?? 'nobody known'}, ` +
  `${length} operations of Yjs client ${client} from ${clock} on)`
