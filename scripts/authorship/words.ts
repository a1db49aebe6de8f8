import type { shooting } from '../screenshots/shoot.ts'
import type { Session } from './session.ts'

/** A part of the document. */
export type Part = (session: Session, shoot: ReturnType<typeof shooting>) => Promise<void>

/** The first id in an output: `t`: of a task, `s`: of a suggestion, `u`: of an undo. */
const idIn = (output: string, letter: 't' | 's' | 'u'): string => {
  const [id] = new RegExp(`\\b${letter}-[0-9a-z]+`).exec(output) ?? []
  if (id === undefined) throw new Error(`no ${letter}-… in ${output}`)
  return id
}

/** Opens the guide's row in the files. */
export const AT_GUIDE = [{ press: '4' }, 'guide.md', { type: '/guide.md' }, { press: 'Enter' }]

/** The task in which Scout renames the command: it is taken back later. */
let renaming = ''

export const blame: Part = async (session, shoot) => {
  session.quietly('ann', 'clawlink-agent register --name Ann --person')
  for (const name of ['Builder', 'Scout', 'Critic']) {
    session.quietly(name.toLowerCase(), `clawlink-agent register --name ${name}`)
  }
  session.say(`## Blame

Ann delegates; what an agent writes while it holds a task is for that task, and the server checks that it holds it.`)
  const told = session.run('ann', 'clawlink-agent delegate --to Builder "Write guide.md"')
  session.run('builder', `clawlink-agent claim ${idIn(told, 't')}`)
  const text = [
    ...['# Install', '', '1. Download the archiv.', '2. Run `make install`.'],
    ...['3. Start it with `clawd`.', '', 'To stop `clawd`, press ctrl-c.'],
  ]
  session.quietly(
    'builder',
    `printf '%s\\n' ${text.map((line) => `'${line}'`).join(' ')} > guide.md`,
  )
  session.run('builder', 'clawlink-agent file-put guide.md --file guide.md')
  session.run(
    'builder',
    `clawlink-agent respond --to Ann --msg-id ${idIn(told, 't')} --result "guide.md is there"`,
  )
  const needed = session.run('ann', 'clawlink-agent delegate --to Scout "Say which Node it needs"')
  session.run('scout', `clawlink-agent claim ${idIn(needed, 't')}`)
  session.run(
    'scout',
    `clawlink-agent file-edit guide.md --find "# Install" --replace "# Install (Node 20 or later)"`,
  )
  session.quietly(
    'scout',
    `clawlink-agent respond --to Ann --msg-id ${idIn(needed, 't')} --result "Node 20"`,
  )
  session.run('ann', 'clawlink-agent file-blame guide.md')
  session.say(`In \`clawlink\` the editor shows the same with \`^t\`, word by word: the status line says who wrote the word
under the caret, when and for which task.`)
  session.quietly('ann', 'clawlink-agent poll')
  const file = await shoot(...(['blame', 'clawlink: who wrote each word', [110, 14]] as const), [
    ...[...AT_GUIDE, { press: 'Enter' }, 'make install', { press: 'C-t' }, 'Builder'],
    ...[
      { press: 'C-Right' },
      { press: 'C-Right' },
      { press: 'C-Right' },
      /by Scout .*for Say which/,
    ],
  ])
  session.picture('who wrote each word', file)
}

export const suggestions: Part = async (session, shoot) => {
  session.say(`## Suggestions

Critic does not write into the guide, it proposes: two hunks against the version that it read.`)
  session.quietly('critic', 'clawlink-agent file-get guide.md --output guide.md')
  session.run(
    'critic',
    `sed -i 's/archiv\\./archive./; s/press ctrl-c/run \`clawd stop\`/' guide.md`,
  )
  const made = session.run(
    'critic',
    'clawlink-agent file-suggest guide.md --file guide.md --note "a typo, and how to stop it"',
  )
  const id = idIn(made, 's')
  session.say('Meanwhile Builder adds a line above; the proposal moves along.')
  session.run(
    'builder',
    `clawlink-agent file-edit guide.md --find "or later)" --replace "$(printf 'or later)\\n\\nIt takes a minute.')"`,
  )
  session.run('ann', `clawlink-agent file-suggestions --id ${id}`)
  session.quietly('ann', 'clawlink-agent poll')
  const file = await shoot(
    ...(['suggestion', 'clawlink: a suggestion, hunk by hunk', [110, 16]] as const),
    [...AT_GUIDE, { press: 'E' }, id, { press: 'Enter' }, 'hunk 1 of 2'],
  )
  session.picture('a suggestion, hunk by hunk', file)
  session.say(`Ann accepts the first hunk, which is Critic's work from then on, and rejects the second with a reason. Nobody
accepts their own where \`--approve-by\` or the role says so.`)
  session.run('ann', `clawlink-agent file-accept ${id} --hunks 1`)
  session.run('ann', `clawlink-agent file-reject ${id} --reason "there is no such command"`)
  session.run('critic', 'clawlink-agent poll')
  session.run('ann', 'clawlink-agent file-blame guide.md --lines 5-5')
}

export const takingBack: Part = async (session, shoot) => {
  session.say(`## Undo

Scout renames the command for another task, and Builder goes on writing, in one place in the same line.`)
  session.run('ann', 'clawlink-agent checkpoint before-renaming --note "the guide as delivered"')
  const told = session.run('ann', 'clawlink-agent delegate --to Scout "Rename clawd to clawctl"')
  renaming = idIn(told, 't')
  session.run('scout', `clawlink-agent claim ${renaming}`)
  session.run('scout', 'clawlink-agent file-edit guide.md --find clawd --replace clawctl --all')
  session.run(
    'builder',
    `clawlink-agent file-edit guide.md --find 'with \`clawctl\`' --replace 'with \`clawctl --port 80\`'`,
  )
  session.run('builder', 'clawlink-agent file-append guide.md "The log is in /var/log."')
  session.say(
    'The name was a bad idea. What would go, if only the work for that task were taken back?',
  )
  session.run('ann', `clawlink-agent undo --task ${renaming} --dry-run`)
  session.quietly('ann', 'clawlink-agent poll')
  const file = await shoot(
    ...(['undo', 'clawlink: what an undo would change', [110, 24]] as const),
    [{ type: `:take-back ${renaming}` }, { press: 'Enter' }, /taken out/],
  )
  session.picture('what an undo would change', file)
  session.say(`Builder's two edits stay, and the line where both wrote is reported. An undo is a change like any other: it has
an id, and is undone by it.`)
  const done = session.run('ann', `clawlink-agent undo --task ${renaming}`)
  session.run('ann', 'clawlink-agent file-get guide.md')
  session.run('ann', `clawlink-agent undo --id ${idIn(done, 'u')}`)
  session.run('ann', 'clawlink-agent file-get guide.md --lines 7-7')
}
