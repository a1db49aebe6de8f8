import { createInterface } from 'node:readline/promises'
import { ClawError } from '../../protocol/errors.ts'
import { type Purgeable, purgeWorkspace } from '../ops/purge.ts'
import type { Command } from './call.ts'
import { jsonOf, sizeText } from './command.ts'

const sizeOf = (bytes: number | null): string =>
  bytes === null ? '' : `, about ${sizeText(bytes)}`

/** Has a person type the name of the workspace. Throws `usage` without a terminal. */
const ask = async ({ workspace, bytes }: Purgeable): Promise<boolean> => {
  const { stdin, stderr } = process
  if (!stdin.isTTY) {
    throw new ClawError(
      'usage',
      'purge asks first, and stdin is not a terminal',
      'to purge without a question: --yes',
    )
  }
  const question = createInterface({ input: stdin, output: stderr })
  try {
    const typed = await question.question(
      `delete ${workspace} for good${sizeOf(bytes)}? Only backups have it then. Type its name: `,
    )
    return typed.trim() === workspace
  } finally {
    question.close()
  }
}

/** Deletes a removed workspace for good. */
export const purge =
  (name: string): Command =>
  async ({ place, json, has, print }) => {
    const purged = await purgeWorkspace(place, name, has('yes') ? async () => true : ask)
    if (purged === null) {
      process.stderr.write('nothing was deleted\n')
      return 1
    }
    print(
      json
        ? jsonOf({ ...purged, purged: true })
        : `purged ${name}${sizeOf(purged.bytes)}; its name can be used again\n`,
    )
    return 0
  }
