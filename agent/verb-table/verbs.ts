import type { VerbSpec } from '../command/verb.ts'
import { AUTHORSHIP } from './authorship.ts'
import { CHECKPOINTS } from './checkpoints.ts'
import { FILES } from './files.ts'
import { INBOX } from './inbox.ts'
import { LINK } from './link.ts'
import { TALK } from './talk.ts'
import { TASKS } from './tasks.ts'
import { TEAM } from './team.ts'

/** All verbs, by what one wants to do. */
export const GROUPS: readonly { title: string; verbs: readonly VerbSpec[] }[] = [
  { title: 'the team', verbs: TEAM },
  { title: 'what comes in', verbs: INBOX },
  { title: 'tasks', verbs: TASKS },
  { title: 'talking', verbs: TALK },
  { title: 'files', verbs: [...FILES, ...CHECKPOINTS, ...AUTHORSHIP] },
  { title: 'this machine', verbs: LINK },
]

export const VERBS: readonly VerbSpec[] = GROUPS.flatMap(({ verbs }) => verbs)
