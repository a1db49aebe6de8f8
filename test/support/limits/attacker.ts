import { spawnSync } from 'node:child_process'
import { setPriority } from 'node:os'
import { serveJobs } from '../../../bench/programs.ts'
import {
  ATTACKS,
  type AttackName,
  HOLDS,
  type HoldName,
  type Outcome,
  type Victim,
} from './attacks.ts'

export interface AttackJob {
  attack: AttackName | HoldName
  victim: Victim
  ms: number
}

// An attacker's processor is not the server's: where they share one, what it takes must not be counted as the server's trouble.
setPriority(19)
// … and, where the system can say so, only while nobody else wants the processor.
spawnSync('chrt', ['--all-tasks', '--idle', '--pid', '0', String(process.pid)])

serveJobs<AttackJob, Outcome>(({ attack, victim, ms }) => {
  const end = performance.now() + ms
  return { ...ATTACKS, ...HOLDS }[attack](victim, () => performance.now() >= end)
})
