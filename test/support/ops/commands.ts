import { execFile } from 'node:child_process'
import { join, resolve } from 'node:path'
import { readProgram } from '../../../lib/command-line/read.ts'
import { ClawError } from '../../../protocol/errors.ts'
import { callOf } from '../../../sync-server/cli/call.ts'
import { PROGRAM } from '../../../sync-server/cli/program.ts'
import { dataFolder } from '../../../sync-server/config/options.ts'
import { placeOf } from '../../../sync-server/storage/place.ts'
import { bin, tempDir } from '../server.ts'
import { asServer } from '../umask.ts'

/** A folder that is not there yet, alone in one that is. */
export const place = (name: string): string => join(tempDir(name), name)

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command of clawlink-sync to its end. */
export const sync = (...args: string[]): Promise<Ran> =>
  new Promise((done) => {
    execFile(process.execPath, [bin('clawlink-sync.cjs'), ...args], (error, stdout, stderr) => {
      done({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

/**
 * The same command carried out in this process, which takes a tenth of the time: for tests of what a command does to the data.
 * As the same user, and without the notes that some print on stderr.
 */
export const syncHere = async (...args: string[]): Promise<Ran> => {
  let stdout = ''
  try {
    const { command, ...given } = readProgram(PROGRAM, args)
    if (command === null) throw new Error(`no command: ${args.join(' ')}`)
    const data = resolve(dataFolder(given.values.get('data'), process.env))
    const print = (text: string) => {
      stdout += text
    }
    const place = placeOf(data, given.values.get('store') ?? null)
    const context = { place, env: process.env, version: 'test', print }
    const code = await asServer(async () => (await command.load(PROGRAM))(callOf(given, context)))
    return { code, stdout, stderr: '' }
  } catch (thrown) {
    const { exit, message, hint } = ClawError.from(thrown)
    return { code: exit, stdout, stderr: `error: ${message}${hint && ` — ${hint}`}\n` }
  }
}

/** The `data` of a command's JSON document. */
export const syncJson = <T>(...args: string[]): Promise<T> => dataOf(sync(...args, '--json'))
export const syncJsonHere = <T>(...args: string[]): Promise<T> =>
  dataOf(syncHere(...args, '--json'))

const dataOf = async <T>(ran: Promise<Ran>): Promise<T> => {
  const { stdout, stderr } = await ran
  const { data } = JSON.parse(stdout) as { data?: T }
  if (data === undefined) throw new Error(stdout + stderr)
  return data
}
