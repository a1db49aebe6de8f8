import { type FileDiff, getComparison } from '../../../client/http/checkpoints.ts'
import { NOW } from '../../../workspace/files/checkpoint.ts'
import type { Verb } from '../../command/call.ts'
import { MAX_CHARACTERS, shortList } from '../../command/page.ts'
import { oneLine, path } from '../../command/text.ts'
import { WorkspaceSession } from '../../command/workspace-session.ts'

/** The changes between two checkpoints, or one and now. One file's diff is printed as it is. */
export const diff: Verb = async (call) => {
  const team = await WorkspaceSession.open(call, false)
  await team.confirm()
  const from = call.flag('from')!
  const to = call.flag('to') ?? NOW
  const key = call.flag('key')
  const query = { from, to, ...(key !== undefined && { key }) }
  const { files, more } = await getComparison(call.target, call.workspace, query)
  const data = { from, to, files, count: files.length, more }
  if (files.length === 0) return { data, lines: [], notes: [`nothing differs from ${from}`] }
  if (more) call.notes.push('some diffs are left out: diff … --key KEY shows one')
  const whole = files.map(({ diff }) => diff ?? '').join('')
  const isShort = whole.length <= MAX_CHARACTERS && files.every(({ diff }) => diff)
  if (whole !== '' && (key !== undefined || isShort)) return { data, lines: [], content: whole }
  return {
    data,
    lines: shortList(
      files.map((one) => [lineOf(one)]),
      { how: `diff ${from} ${to} --json; --key KEY shows one diff` },
    ),
  }
}

const lineOf = ({ change, file_key, was, why, ...one }: FileDiff): string => {
  const { added_lines, removed_lines } = one
  const lines = added_lines === undefined ? '' : `  +${added_lines} -${removed_lines} lines`
  const before = was === undefined ? '' : `  was ${path(was)}`
  return oneLine(`${change}  ${path(file_key)}${before}${lines}${why ? `  ${why}` : ''}`)
}
