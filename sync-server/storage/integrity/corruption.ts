/** The data on disk differs from the data written. `where`: file or key. */
export class Corruption extends Error {
  readonly where: string

  constructor(where: string, what: string) {
    super(`${where}: ${what}`)
    this.name = 'Corruption'
    this.where = where
  }
}

/** The data on disk is as written, but it does not make a document. */
export class Unreadable extends Error {}

/** A newer version wrote the data, in a format unknown to this one. */
export class Newer extends Error {}

/** The database has an older format, and the caller forbade an upgrade. */
export class Older extends Error {}

/** The first error of class `kind` in an error's chain of causes; null if there is none. */
export const causeOf = <T extends Error>(
  thrown: unknown,
  kind: new (...parts: never[]) => T,
): T | null => {
  for (let error = thrown; error instanceof Error; error = error.cause) {
    if (error instanceof kind) return error
  }
  return null
}
