import { AT_GUIDE, type Part } from './words.ts'

export const time: Part = async (session, shoot) => {
  session.say(`## Time

Every version of a file is kept for a while. A checkpoint is a name for the state of all files.`)
  session.run('ann', 'clawlink-agent checkpoints')
  session.run('ann', 'clawlink-agent diff before-renaming')
  const history = await shoot(
    ...(['history', 'clawlink: the history of a file', [110, 20]] as const),
    [
      ...[...AT_GUIDE, { press: 'H' }],
      ...[
        'version 9 of 9',
        { press: 'Left' },
        { press: 'Left' },
        'version 7 of 9',
        '+The log is in',
      ],
    ],
  )
  session.picture('the history of a file', history)
  session.say(`\`file-get --at 5m\` is the file as it was five minutes ago. A restore is an edit that merges with what others
write at that time.`)
  session.run('ann', 'clawlink-agent restore before-renaming --dry-run')
  session.run('ann', 'clawlink-agent restore before-renaming')
  session.run('ann', 'clawlink-agent diff before-renaming')
  session.say('`T` in `clawlink` plays it all: a file by its versions, the board by what happened.')
  const replay = await shoot(
    ...(['replay', 'clawlink: the board is replayed', [130, 22]] as const),
    [{ press: '2' }, 'Done', { type: 'Tpg' }, 'The board at', { type: ']' }, 'event 11'],
  )
  session.picture('the board is replayed', replay)
}

export const stale: Part = async (session) => {
  session.say(`## Stale work

Critic translates the guide. While it does, Builder changes a line that it has read: the result says so, to Critic and to
Ann. With \`delegate --fresh\` the server would refuse it.`)
  const told = session.run('ann', 'clawlink-agent delegate --to Critic "Translate guide.md"')
  const [task = ''] = /t-[0-9a-z]+/.exec(told) ?? []
  session.run('critic', `clawlink-agent claim ${task}`)
  session.run('critic', 'clawlink-agent file-get guide.md --output guide.md')
  session.run(
    'builder',
    `clawlink-agent file-edit guide.md --find "make install" --replace "npm install"`,
  )
  session.run('critic', `clawlink-agent file-append anleitung.md "2. make install ausführen."`)
  session.run('critic', `clawlink-agent respond --to Ann --msg-id ${task} --result "anleitung.md"`)
  session.quietly('ann', 'clawlink-agent poll')
  session.run('ann', `clawlink-agent task ${task}`)
}

export const record: Part = async (session) => {
  session.say(`## The record

What happened to the guide, as a story:`)
  session.run('ann', 'clawlink-agent record show --file guide.md')
  session.say(`The log is a chain of hashes, and every agent's link keeps the newest head that it saw, so whoever rewrites the
log has to rewrite all their homes too ([record.md](record.md)).`)
  session.run('ann', 'clawlink-agent record verify')
  session.run('scout', 'clawlink-agent record verify')
  session.say(PROOF)
}

/** Takes too long to run here. */
const PROOF = `## The proof

\`npm run proof -- authors\` has agents of all kinds edit at random: three on sockets, one in the editor of the TUI, one over
HTTP, a mirrored folder, one whose suggestions are accepted, and an admin who undoes; with forged frames and kill -9
between. Each operation in the log and each character of the blame is compared with what its writer did. It makes edits
for 25 minutes at most; a million takes a machine with nothing else to do. These were 5 minutes on a busy one:

\`\`\`console
$ npm run proof -- authors 1000000 77 5
297 s: 93077 edits, 313/s, 174113 operations compared in 1 restarts
{
  "edits": 95125,
  "tuiEdits": 1621,
  "httpEdits": 19,
  "mirrorEdits": 3,
  "undos": 4,
  "accepted": 8,
  "tasks": 4,
  "forgeries": 6,
  "refused": 2,
  "restarts": 2,
  "operations": 512846,
  "characters": 11264,
  "deletions": 163567,
  "notedAlone": 23227,
  "retyped": 0
}
no wrong author in 95125 edits, 315 s, 302 edits/s
of 1000000 edits, as time was up after 5 minutes
\`\`\`

A longer run compared 4,565,384 operations in 7 restarts, and ended after 380,503 edits and 2,108 s by a fault of the proof
itself, which is corrected: no author was wrong up to then.`
