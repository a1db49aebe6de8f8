import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { completionOf } from '../../../lib/command-line/completion.ts'
import { SHELLS } from '../../../lib/command-line/spec.ts'
import { PROGRAMS } from '../../support/command-line/programs.ts'
import { tempDir } from '../../support/server.ts'
import { noTerminal, openTerminal } from '../../support/terminal.ts'

const dir = tempDir('completion')
const folder = join(dir, 'plans')
mkdirSync(join(folder, 'old ones'), { recursive: true })
writeFileSync(join(folder, 'plan.md'), '')
for (const { program } of PROGRAMS) {
  for (const shell of SHELLS) {
    writeFileSync(join(dir, `${program.name}.${shell}`), completionOf(program, shell))
  }
}
const scripts = (shell: string) =>
  PROGRAMS.map(({ program }) => join(dir, `${program.name}.${shell}`))

const has = (shell: string): boolean => spawnSync(shell, ['--version']).status === 0

/** The words before the one to be completed, that one, and what must be offered. */
const CASES: readonly [words: string[], typed: string, offered: string[]][] = [
  [['clawlink-agent'], 'de', ['decline', 'delegate']],
  [['clawlink-agent', 'delegate'], '--pri', ['--priority']],
  [['clawlink-agent', 'delegate', '--to', 'x'], '--as', ['--as']],
  [['clawlink-agent', 'delegate', '--priority'], '', ['high', 'low', 'normal', 'urgent']],
  [['clawlink-agent', 'tasks', '--sort'], 'c', ['created']],
  [['clawlink-agent', 'completion'], '', ['bash', 'fish', 'zsh']],
  [['clawlink-agent', 'file-put', '--file'], join(folder, 'pl'), [join(folder, 'plan.md')]],
  [['clawlink-sync'], 'inv', ['invite', 'invites']],
  [['clawlink-sync'], '--log-l', ['--log-level']],
  [['clawlink-sync', '--log-level'], 'w', ['warn']],
  [['clawlink-sync', 'invite', '--role'], '', ['admin', 'read', 'suggest', 'write']],
  [['clawlink'], '--work', ['--workspace']],
]

describe('completion', () => {
  it('[ARGS-3] bash completes commands, flags, values and names of files', () => {
    const more: typeof CASES = [
      [['clawlink-agent', '--as', 'poll'], 'deleg', ['delegate']],
      [['clawlink-agent', 'delegate', '--priority', '='], 'h', ['high']],
      [
        ['clawlink-agent', 'poll', '--type'],
        'task_delegation,dir',
        ['task_delegation,direct_message'],
      ],
      [['clawlink-agent', 'mirror'], folder.slice(0, -1), [folder]],
      [['clawlink-agent', 'file-put', '--file'], join(folder, 'o'), [join(folder, 'old ones')]],
    ]
    const cases = [...CASES, ...more]
    const quoted = (word: string) => `'${word}'`
    const lines = cases.map(([words, typed]) => {
      const all = [...words, typed]
      return `COMP_WORDS=(${all.map(quoted).join(' ')}) COMP_CWORD=${all.length - 1} COMPREPLY=()
_${words[0]!.replaceAll('-', '_')}; (IFS="|"; echo "\${COMPREPLY[*]}")`
    })
    const sources = scripts('bash').map((path) => `source ${path}`)
    const ran = spawnSync('bash', ['--norc', '-eu'], {
      input: [...sources, 'set +eu', ...lines, 'complete -p clawlink-agent'].join('\n'),
      encoding: 'utf8',
    })
    expect(ran.stderr).toBe('')
    const printed = ran.stdout.trimEnd().split('\n')
    for (const [i, [words, typed, offered]] of cases.entries()) {
      expect(printed[i]!.split('|').sort(), `${words.join(' ')} ${typed}`).toEqual(offered)
    }
    expect(printed.at(-1)).toContain('-F _clawlink_agent clawlink-agent')
  })

  it.skipIf(!has('fish'))('[ARGS-3] fish does (skipped where there is no fish)', () => {
    const lines = CASES.map(
      ([words, typed]) => `complete -C '${[...words, typed].join(' ')}' | string join '|'; echo`,
    )
    const sources = scripts('fish').map((path) => `source ${path}`)
    // Not by stdin: fish reads none that is a socket.
    const script = join(dir, 'asked.fish')
    writeFileSync(script, [...sources, ...lines].join('\n'))
    const ran = spawnSync('fish', [script], {
      env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir },
      encoding: 'utf8',
    })
    expect(ran.stderr).toBe('')
    const printed = ran.stdout.split('\n').filter((line) => line !== '')
    for (const [i, [words, typed, offered]] of CASES.entries()) {
      const found = printed[i]!.split('|').map((one) => one.split('\t')[0])
      expect(found.sort(), `${words.join(' ')} ${typed}`).toEqual(offered)
    }
  })

  const noZsh = noTerminal !== null || !has('zsh')
  it.skipIf(noZsh)('[ARGS-3] zsh does (skipped where there is no zsh, or no tmux)', async () => {
    const terminal = openTerminal(160, 50, { HOME: dir })
    terminal.type('PS1="zsh> " exec zsh -f\n')
    await terminal.shows(/^zsh>/m)
    const sources = scripts('zsh').map((path) => `source ${path}`)
    terminal.type(
      `autoload -Uz compinit && compinit -u -D && ${sources.join(' && ')} && echo ready\n`,
    )
    await terminal.shows(/^ready/m)
    for (const [words, typed, offered] of CASES) {
      if (offered.length > 1) continue // a menu: what is one word is enough to see
      const line = [...words, typed].join(' ')
      terminal.press('C-l')
      terminal.type(`${line}`)
      terminal.press('Tab')
      await terminal.shows(`zsh> ${[...words, offered[0]].join(' ')}`)
      terminal.press('C-u')
    }
    terminal.close()
  })
})
