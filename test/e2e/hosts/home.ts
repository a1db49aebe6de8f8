import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { tempDir } from '../../support/server.ts'

/** A person's home on a machine of its own: programs, settings, a project, one ClawLink profile. */
export interface Home {
  dir: string
  project: string
  /** CLAWLINK_HOME of what runs here. */
  clawlink: string
  env: Record<string, string>
  /** Runs a program as the home's person; its stdout. Throws if it fails. */
  run: (program: string, ...args: string[]) => Promise<string>
  /** Writes a file of the home, with the folders above it. */
  write: (path: string, content: string | object) => void
}

export const newHome = (label: string, path: string): Home => {
  const dir = tempDir(label)
  const project = join(dir, 'project')
  mkdirSync(project)
  const env = { HOME: dir, PATH: path, LANG: 'C.UTF-8', TERM: 'xterm-256color', SHELL: '/bin/bash' }
  const write: Home['write'] = (to, content) => {
    mkdirSync(dirname(join(dir, to)), { recursive: true })
    const text = typeof content === 'string' ? content : JSON.stringify(content, null, 2)
    writeFileSync(join(dir, to), text)
  }
  // Codex runs commands in a login shell, whose PATH is the system's.
  write('.bash_profile', `export PATH='${path}'\n`)
  return {
    ...{ dir, project, env, write, clawlink: join(dir, '.clawlink') },
    run: async (program, ...args) => {
      const child = spawn(program, args, { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
      let out = ''
      let err = ''
      child.stdout.on('data', (chunk) => (out += chunk))
      child.stderr.on('data', (chunk) => (err += chunk))
      const [code] = (await once(child, 'close')) as [number | null]
      if (code === 0) return out
      throw new Error(`${label}: ${program} ${args.join(' ')}: ${code}\n${out}${err}`)
    },
  }
}

/** A command line that runs a program in the home with nothing of this process's environment. */
export const inHome = (home: Home, program: string, more: Record<string, string>): string => {
  const settings = Object.entries({ ...home.env, ...more }).map(
    ([name, value]) => `${name}=${value}`,
  )
  const words = ['exec', 'env', '-i', ...settings, ...program.split(' ')]
  home.write(
    `start-${program}.sh`,
    `cd ${home.project}\n${words.map((word) => `'${word}'`).join(' ')}\n`,
  )
  return `sh ${join(home.dir, `start-${program}.sh`)}`
}
