import { join, resolve } from 'node:path'
import { counted } from '../../lib/text/count.ts'
import { didYouMean } from '../../lib/text/suggest.ts'
import { ClawError } from '../../protocol/errors.ts'
import { agentTrace } from '../ops/agent-trace.ts'
import { contentsOf } from '../ops/contents.ts'
import { type Exported, exportWorkspace } from '../ops/export.ts'
import { makeFolder } from '../ops/folder.ts'
import { FORMATS } from '../ops/formats.ts'
import { withData } from '../ops/source.ts'
import { shownPlace } from '../storage/place.ts'
import { storeError } from '../storage/store-error.ts'
import type { Command } from './call.ts'
import { jsonOf } from './command.ts'

export const exportAll: Command = async (call) => {
  const { place, json } = call
  const dir = resolve(call.value('dir')!)
  const format = call.oneOf('format', FORMATS) ?? 'md'
  const workspace = call.value('workspace')
  const exported = await withData(place, async (log, folder) => {
    const all = await log.workspaces()
    const names = workspace === undefined ? all : [checkKnown(workspace, all)]
    return makeFolder(dir, 'give a folder that is new or empty', async (partial) => {
      const done: Record<string, Exported> = {}
      for (const name of names) {
        const now = Date.now()
        const contents = await contentsOf(log, name, now)
        const trace = agentTrace(log, contents, call.version, now)
        done[name] = await exportWorkspace(contents, folder, join(partial, name), format, trace)
        contents.doc.destroy()
      }
      return done
    })
  }).catch((error) => {
    throw storeError(shownPlace(place), error)
  })
  call.print(json ? jsonOf({ dir, workspaces: exported }) : textOf(dir, exported))
  return 0
}

/** Throws `unknown_workspace`. */
export const checkKnown = (name: string, all: readonly string[]): string => {
  if (all.includes(name)) return name
  const near = didYouMean(name, all) || `existing: ${all.join(', ')}`
  throw new ClawError('unknown_workspace', `workspace "${name}" does not exist`, near)
}

const textOf = (dir: string, exported: Record<string, Exported>): string => {
  const lines = Object.entries(exported).flatMap(([name, done]) => [
    `${join(dir, name)}: ${counted(done.agents, 'agent')}, ${counted(done.tasks, 'task')}, ${counted(done.broadcasts, 'broadcast')}, ${counted(done.files, 'file')}`,
    ...done.left_out.map(
      ({ file_key, reason }) => `left out ${JSON.stringify(file_key)}: ${reason}`,
    ),
  ])
  return `${lines.join('\n')}\n`
}
