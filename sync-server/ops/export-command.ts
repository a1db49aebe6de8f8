import { join } from 'node:path'
import { ClawError } from '../../workspace/errors.ts'
import { didYouMean } from '../../workspace/suggest.ts'
import type { Command } from '../commands.ts'
import { COMMON_HELP, jsonOf, readCall } from './command.ts'
import { contentsOf } from './contents.ts'
import { type Exported, exportWorkspace, FORMATS, type Format } from './export.ts'
import { makeFolder } from './folder.ts'
import { withData } from './source.ts'
import { storeError } from './store-error.ts'

const HELP = `usage: clawlink-sync export DIR [--workspace W] [--format md|json|files] [--data DIR] [--json]

Writes agents, tasks (also archived ones), broadcasts (also archived ones, and direct messages) and the shared files of
every workspace, or of one, into DIR/<workspace>; DIR must be new or empty. A server that runs is asked for a copy.

  --workspace W  only this one
  --format F     md: Markdown to read (the default); json: the shapes that clawlink-agent --json prints;
                 files: the shared files alone
${COMMON_HELP}
examples:
  clawlink-sync export /tmp/what-we-did --workspace default
`

const FLAGS = { workspace: { type: 'string' }, format: { type: 'string' } } as const

export const exportAll: Command = async (call) => {
  const given = readCall(call, { help: HELP, flags: FLAGS, needs: 'the folder to export to' })
  if (given === null) return 0
  const { data, json, values } = given
  const dir = given.path!
  const format = (values.format ?? 'md') as Format
  if (!FORMATS.includes(format)) {
    throw new ClawError('usage', `"${format}" is no format`, `one of: ${FORMATS.join(', ')}`)
  }
  const exported = await withData(data, async (log, folder) => {
    const all = await log.workspaces()
    const names = values.workspace === undefined ? all : [checkKnown(String(values.workspace), all)]
    return makeFolder(dir, 'give a folder that is new or empty', async (partial) => {
      const done: Record<string, Exported> = {}
      for (const name of names) {
        const contents = await contentsOf(log, name, Date.now())
        done[name] = await exportWorkspace(contents, folder, join(partial, name), format)
        contents.doc.destroy()
      }
      return done
    })
  }).catch((error) => {
    throw storeError(data, error)
  })
  call.print(json ? jsonOf({ dir, workspaces: exported }) : textOf(dir, exported))
  return 0
}

const checkKnown = (name: string, all: readonly string[]): string => {
  if (all.includes(name)) return name
  const near = didYouMean(name, all) || `there are: ${all.join(', ')}`
  throw new ClawError('unknown_workspace', `there is no workspace "${name}"`, near)
}

const textOf = (dir: string, exported: Record<string, Exported>): string => {
  const lines = Object.entries(exported).flatMap(([name, done]) => [
    `${join(dir, name)}: ${done.agents} agents, ${done.tasks} tasks, ${done.broadcasts} broadcasts, ${done.files} files`,
    ...done.left_out.map(
      ({ file_key, reason }) => `left out ${JSON.stringify(file_key)}: ${reason}`,
    ),
  ])
  return `${lines.join('\n')}\n`
}
