/** Words for a POSIX shell: text of others becomes one argument and runs nothing. */

/** A word in single quotes. */
export const shellQuoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`

/** A word, quoted where that is needed. */
export const shellWord = (word: string): string =>
  /^[\w@%+:,./-][\w@%+=:,./-]*$/.test(word) ? word : shellQuoted(word)

/** `--name value`; `--name=value` where the value begins with `-` and would pass for a flag. */
export const shellFlag = (name: string, value: string): string =>
  `--${name}${value.startsWith('-') ? '=' : ' '}${shellWord(value)}`
