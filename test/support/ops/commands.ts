import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { bin, tempDir } from '../server.ts'

/** A folder that is not there yet, alone in one that is. */
export const place = (name: string): string => join(tempDir(name), name)

export interface Ran {
  code: number
  stdout: string
  stderr: string
}

/** Runs a command of clawlink-sync to its end. */
export const sync = (...args: string[]): Promise<Ran> =>
  new Promise((resolve) => {
    execFile(process.execPath, [bin('clawlink-sync.cjs'), ...args], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })

/** The `data` of a command's JSON document. */
export const syncJson = async <T>(...args: string[]): Promise<T> => {
  const { stdout, stderr } = await sync(...args, '--json')
  const { data } = JSON.parse(stdout) as { data?: T }
  if (data === undefined) throw new Error(stdout + stderr)
  return data
}
