/** What is on disk is not what was written there. `where`: file or key. */
export class Corruption extends Error {
  readonly where: string

  constructor(where: string, what: string) {
    super(`${where}: ${what}`)
    this.name = 'Damage'
    this.where = where
  }
}

/** What is on disk is what was written there, and no document comes of it. */
export class Unreadable extends Error {}

/** What is on disk was written by a newer version, in a format that this one does not know. */
export class Newer extends Error {}

/** The database has an older format, and was not to be changed. */
export class Older extends Error {}

/** The first error of these kinds among an error and its causes. */
export const causeOf = <T extends Error>(
  thrown: unknown,
  kind: new (...parts: never[]) => T,
): T | null => {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof kind) return error
  }
  return null
}
