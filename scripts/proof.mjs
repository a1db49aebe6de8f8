// Runs a long proof: `npm run proof -- NAME [ARG…]`. Without a name it lists them.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Each proof: its arguments, what it shows, and the program under test/. `build`: it runs the programs in dist/.
 * `needs`: tools beyond npm, as scripts/needs.mjs knows them. `node`: flags of Node.
 */
const PROOFS = {
  arrivals: {
    file: 'proofs/arrivals.ts',
    args: '[RUNS [SEED]]',
    shows: 'the server predicts the place of each incoming change in random documents',
  },
  authors: {
    file: 'proofs/authors.ts',
    args: '[EDITS [SEED [MINUTES]]]',
    shows:
      'a million random edits by agents of all kinds, with forged frames, have no wrong author',
    build: true,
  },
  broadcasts: {
    file: 'proofs/million-broadcasts.ts',
    args: '[N [BATCH [WRITERS]]]',
    shows: 'after a million broadcasts the live document is small and the log is complete',
    build: true,
  },
  checkout: {
    file: 'proofs/checkout.ts',
    args: '[FILES] [RUNS] [SEED]',
    shows: 'a branch checked out in a mirrored folder while editors work loses no edit',
    build: true,
  },
  cluster: {
    file: 'proofs/cluster.ts',
    args: '[CHAOS_SECONDS [STOP_SECONDS]]',
    shows: 'three nodes on PostgreSQL lose nothing and double nothing, whatever fails',
    build: true,
  },
  'cluster-day': {
    file: 'proofs/cluster-day.ts',
    args: '[UPDATES [WORKSPACES [MINUTES [PER_SECOND]]]]',
    shows: 'ten million updates leave tables, WAL and memory of three nodes bounded',
    build: true,
  },
  damage: {
    file: 'proofs/damage.ts',
    args: '[SEEDS [SEED]]',
    shows: 'random damage of a data folder is refused or reported, never served',
    build: true,
  },
  delivery: {
    file: 'proofs/delivery.ts',
    args: '[RUNS] [SEED] [LANES]',
    shows: 'each message arrives once, through kills, partitions and wrong clocks',
    build: true,
  },
  files: {
    file: 'proofs/writers.ts',
    args: '[RUNS [SEED [RUNS_WITH_MIRRORS]]]',
    shows: 'six writers on one file lose no text',
  },
  gone: {
    file: 'proofs/gone.ts',
    args: '[AGENTS]',
    shows: 'how long an agent that is gone is still shown as present',
    build: true,
  },
  grammar: {
    file: 'proofs/grammar.ts',
    args: '[OPERATIONS [SEED]]',
    shows: 'a million hostile operations by members break no document and no program',
    build: true,
  },
  hosting: {
    file: 'proofs/hosting.ts',
    args: '[--pull]',
    shows: 'the Dockerfile and the systemd unit of docs/OPERATIONS.md work',
    build: true,
    needs: 'hosting',
  },
  kills: {
    vitest: ['-t', 'kill -9'],
    args: '',
    shows: 'all tests with kill -9, with more kills than npm test has',
  },
  'mcp-conformance': {
    file: 'proofs/mcp-conformance.ts',
    args: '[SCENARIO…]',
    shows: 'the official conformance suite of MCP passes, as far as it is for stdio',
    build: true,
  },
  'million-tasks': {
    file: 'proofs/million-tasks.ts',
    args: '[N]',
    shows: 'what a million tasks leave behind in document, archive and memory',
    node: ['--expose-gc', '--max-old-space-size=8192'],
  },
  mirror: {
    file: 'proofs/mirror.ts',
    args: '[RUNS] [SEED] [AT_ONCE]',
    shows: 'two mirrored folders agree after git, tools, mounts, full disks and kills',
    build: true,
  },
  mutants: {
    file: 'mutants/main.ts',
    args: '[NAME…]',
    shows: 'thirty faults in the code, each found by the tests of the rule it breaks',
  },
  package: {
    file: 'proofs/package.ts',
    args: '',
    shows: 'the packed tarball works for a user who has nothing but Node',
  },
  record: {
    file: 'proofs/record.ts',
    args: '[RUNS [SEED]]',
    shows: 'a witness finds each way to tamper with a log, a thousand times each',
  },
  postgres: {
    file: 'proofs/on-postgres.ts',
    args: '[FILTER…]',
    shows: 'the tests of the server pass with its records in PostgreSQL',
    build: true,
  },
  seen: {
    file: 'proofs/seen.ts',
    args: '[KILLS]',
    shows: 'an edit that a second client saw survives a kill -9 right after',
    build: true,
  },
  suggestions: {
    file: 'proofs/suggestions.ts',
    args: '[RUNS [SEED]]',
    shows:
      'no accepted hunk of a suggestion is lost, doubled or misplaced, in functions and over HTTP',
    build: true,
  },
  'task-kills': {
    file: 'proofs/task-kills.ts',
    args: '[RUNS [SEED [KILLS]]]',
    shows: 'tasks stay consistent on a server that is killed again and again',
    build: true,
  },
  tasks: {
    file: 'proofs/tasks.ts',
    args: '[RUNS [SEED]]',
    shows: 'random histories of tasks follow the model',
  },
  undo: {
    file: 'proofs/undo.ts',
    args: '[RUNS [SEED]]',
    shows: 'one of six agents undone leaves what the script without it does',
  },
}

const run = (command, args, env = process.env) => {
  const { status, signal } = spawnSync(command, args, { cwd: root, env, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? (signal === 'SIGINT' ? 130 : 1))
}

const list = () => {
  console.log('npm run proof -- NAME [ARG…]\n')
  for (const [name, { args, shows }] of Object.entries(PROOFS)) {
    console.log(`  ${`${name} ${args}`.trimEnd()}\n      ${shows}`)
  }
}

const [name, ...args] = process.argv.slice(2)
if (name === undefined) {
  list()
} else if (!Object.hasOwn(PROOFS, name)) {
  console.error(`error: unknown proof ${name} — known proofs: ${Object.keys(PROOFS).join(', ')}`)
  process.exitCode = 2
} else {
  const proof = PROOFS[name]
  if (proof.needs) run(process.execPath, ['scripts/needs.mjs', proof.needs])
  if (proof.build) run(process.execPath, ['scripts/build.mjs'])
  if (proof.vitest) {
    const vitest = join(root, 'node_modules/vitest/vitest.mjs')
    const long = { ...process.env, CLAWLINK_TEST_LONG: '1' }
    run(process.execPath, [vitest, 'run', ...proof.vitest, ...args], long)
  } else {
    const file = join('test', proof.file)
    run(process.execPath, [...(proof.node ?? []), 'scripts/run-ts.mjs', file, ...args])
  }
}
