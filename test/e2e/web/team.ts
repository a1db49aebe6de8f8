import type { Role } from '../../../protocol/roles.ts'
import { joinLink } from '../../../protocol/roles.ts'
import { type Agent, registered } from '../../support/agent.ts'
import { invite } from '../../support/auth/members.ts'
import { type Server, startServer } from '../../support/server.ts'

/** A server with a team at work, whose pages are looked at. */
export interface Team {
  server: Server
  scout: Agent & { id: string }
  builder: Agent & { id: string }
  /** The task whose question waits for Ann, where she has joined. */
  question: string
  link: (role: Role) => Promise<string>
}

const PLAN = `# Release 2.0

Ship the importer on Friday. Rows without a key are reported, not dropped.

1. Parse the rows, with their line numbers
2. Write the ones that are whole
3. Report the others: one line each

هذا السطر من اليمين إلى اليسار
`
const PARSER = `export const parse = (text: string): Row[] => {
  const rows = text.split('\\n').filter((line) => line !== '')
  return rows.map((line, at) => rowOf(line, at + 1))
}
`

export const startTeam = async (): Promise<Team> => {
  const server = await startServer()
  const scout = await registered(server.url, 'Scout', 'alone')
  const builder = await registered(server.url, 'Builder', 'alone')
  await builder.ask('register', '--name', 'Builder', '--caps', 'typescript,tests')
  await scout.runWith({ stdin: PLAN }, 'file-put', 'plan.md', '-')
  await builder.runWith({ stdin: PARSER }, 'file-put', 'src/parser.ts', '-')
  await builder.ask('file-append', '--key', 'plan.md', '--text', '4. Measure a million rows\n')
  await scout.ask('file-append', '--key', 'notes/benchmarks.md', '--text', '# Benchmarks\n')
  const delegated = async (from: Agent, ...flags: string[]) =>
    (await from.ask<{ task: { task_id: string } }>('delegate', ...flags)).task.task_id
  const parser = await delegated(
    ...([scout, '--to', 'Builder', '--task', 'Write the parser of the importer'] as const),
  )
  await builder.ask('claim', parser)
  await builder.ask('respond', parser, '--status', 'working', '--percent', '60', '--result', 'rows')
  const done = await delegated(scout, '--to', 'Builder', '--task', 'Set up the tests')
  await builder.ask('claim', done)
  await builder.ask('respond', done, '--result', 'they run in 40 s')
  await delegated(scout, '--anyone', '--task', 'Read the manual once more', '--later')
  await scout.ask('broadcast', 'The format of the old files is in notes/benchmarks.md.')
  await builder.ask('broadcast', 'Tests are green. 1,204 of them.')
  const link = async (role: Role) =>
    joinLink(server.url, 'default', await invite(server, { workspace: 'default', role, uses: 20 }))
  return { server, scout, builder, question: parser, link }
}

/** What waits for a person: a question, a review, a message, a task. */
export const addressTo = async (team: Team, name: string): Promise<void> => {
  const { scout, builder } = team
  await scout.ask('delegate', '--to', name, '--task', 'Choose the name of the command')
  await builder.ask('send', '--to', name, 'Shall I rename the folder, too?')
  await scout.ask(
    ...(['file-suggest', '--key', 'plan.md', '--find', 'on Friday', '--replace'] as const),
    ...(['on Thursday', '--note', 'Friday is a holiday', '--approve-by', name] as const),
  )
}
