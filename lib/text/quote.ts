/** Words for a POSIX shell: what others named runs nothing there, and is one argument. */

/** A word as it is where that is safe, else in single quotes. */
export const shellWord = (word: string): string =>
  /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`

/** `--name value`; a value that begins with `-` is joined to its flag, or it would be taken for one. */
export const shellFlag = (name: string, value: string): string =>
  `--${name}${value.startsWith('-') ? '=' : ' '}${shellWord(value)}`
