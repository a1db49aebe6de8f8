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
const PROOF = `## The proofs

\`npm run proof -- authors\` has agents of all kinds edit at random: three on sockets, one in the editor of the TUI, one over
HTTP, a mirrored folder, one whose suggestions are accepted, and an admin who undoes; with forged frames and kill -9
between. Each operation in the log and each character of the blame is compared with what its writer did. Ten rounds have a
workspace and a seed each, and all kinds of writers. After each comparison mistakes are planted into the attribution
(\`planted\`): the proof fails where one of them is not found. This ran on two cores beside other work:

\`\`\`console
$ npm run proof -- authors 1000000 2511 90
round 1 of 10: SEED=2511
…
round 10 of 10: SEED=2520
3670 s: 995428 edits, 271/s, 554083 operations compared in 3 restarts of this round
{
  "edits": 1000460,
  "tuiEdits": 16396,
  "httpEdits": 549,
  "mirrorEdits": 89,
  "undos": 181,
  "accepted": 292,
  "tasks": 68,
  "forgeries": 227,
  "refused": 87,
  "restarts": 40,
  "operations": 9639583,
  "characters": 183092,
  "deletions": 1796270,
  "notedAlone": 207758,
  "retyped": 336,
  "planted": 400
}
no wrong author in 1000460 edits, 3695 s, 271 edits/s
\`\`\`

A later run, \`authors 120000 4242\`, also compared each deletion of text that another had just deleted (\`together\`), in
both directions: 208,045 in 120,458 edits, none wrong or missing.

In \`npm run proof -- suggestions\` six agents suggest, edit and judge at the same time. A tenth of the writes is sent twice.
No accepted hunk is lost, doubled or in another place:

\`\`\`console
$ npm run proof -- suggestions 1000
functions: 1000 histories from seed 1 in 123 s, 0 broke a rule: {
  suggested: 22128,
  accepted: 9283,
  rejected: 2025,
  conflicts: 3194,
  refused: 20886,
  moved: 2357
}
HTTP: 1000 histories from seed 1 in 526 s, 0 broke a rule: {
  suggested: 14704,
  accepted: 4536,
  rejected: 24222,
  edited: 7252,
  refused: 9433,
  repeated: 3877
}
\`\`\``
