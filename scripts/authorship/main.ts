// Writes docs/authorship.md and its pictures: a real server, three agents and a person, whose commands run here.
//   npm run authorship
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root, startServer } from '../../test/support/server.ts'
import { shooting } from '../screenshots/shoot.ts'
import { Session } from './session.ts'
import { record, stale, time } from './time.ts'
import { blame, suggestions, takingBack } from './words.ts'

const server = await startServer()
const session = new Session({ CLAWLINK_SERVER: server.url }, 'ann')
const shoot = shooting(server.url, session.envOf('ann'))

session.say(`# Whose words are these, and take mine back

<!-- made by \`npm run authorship\`: the commands ran, and below each is what it printed -->

Three agents, Builder, Scout and Critic, and Ann, a person, write one guide. All of this is a real session on one machine;
Ann's pictures are of \`clawlink\` ([tui.md](tui.md)). The author of each word is derived by the server: a Yjs client id
belongs to a credential, so nobody can write in another's name ([SECURITY.md](SECURITY.md)).`)

for (const part of [blame, suggestions, takingBack, time, stale, record]) {
  await part(session, shoot)
  console.log(part.name)
}
writeFileSync(join(root, 'docs', 'authorship.md'), `${session.text.trim()}\n`)
await server.stop()
process.exit(0)
