import { FILES } from './verb-table/files.ts'
import { INBOX } from './verb-table/inbox.ts'
import { LINK } from './verb-table/link.ts'
import { TALK } from './verb-table/talk.ts'
import { TASKS } from './verb-table/tasks.ts'
import { TEAM } from './verb-table/team.ts'
import type { VerbSpec } from './verb-table/verb.ts'

/** All verbs, by what one wants to do. */
export const GROUPS: readonly { title: string; verbs: readonly VerbSpec[] }[] = [
  { title: 'the team', verbs: TEAM },
  { title: 'what comes in', verbs: INBOX },
  { title: 'tasks', verbs: TASKS },
  { title: 'talking', verbs: TALK },
  { title: 'files', verbs: FILES },
  { title: 'this machine', verbs: LINK },
]

export const VERBS: readonly VerbSpec[] = GROUPS.flatMap(({ verbs }) => verbs)
