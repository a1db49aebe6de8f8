import { ClawError } from './errors.ts'

const isAbsolute = (path: string): boolean => /^(?:[/\\]|[a-z]:[/\\])/i.test(path)

/** The home folder of the user. Throws `usage` where there is none: `variable` names the folder that is wanted. */
export const userHome = (homedir: () => string, variable: string): string => {
  let home = ''
  try {
    home = homedir()
  } catch {
    // A user without an entry in the system's list, as containers have.
  }
  if (isAbsolute(home)) return home
  throw new ClawError(
    'usage',
    home === '' ? 'this user has no home folder' : `HOME is not an absolute path: "${home}"`,
    `name a folder: ${variable}=/absolute/path`,
  )
}

/** `path`, given in `variable` or a flag, with the home of the user for a `~` that no shell has seen. Throws `usage`. */
export const withHome = (path: string, homedir: () => string, variable: string): string => {
  if (/^~(?:[/\\]|$)/.test(path)) return userHome(homedir, variable) + path.slice(1)
  if (!/^~[a-z0-9._-]*(?:[/\\]|$)/i.test(path)) return path
  throw new ClawError(
    'usage',
    `${variable} is "${path}": the home of another user is not looked up`,
    'give an absolute path',
  )
}
