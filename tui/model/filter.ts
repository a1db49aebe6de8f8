/**
 * The filter of `/`: all words must occur, in any case; `key:word` looks at one field. A dash
 * before either excludes.
 */
export interface Filter {
  words: readonly Word[]
}

interface Word {
  key: string | null
  word: string
  not: boolean
}

/**
 * Searchable texts of an item, in lower case: of one field, or of all fields for ''; null if the
 * field does not exist.
 */
export type FilterFields = (key: string) => readonly string[] | null

export const parseFilter = (text: string): Filter => ({
  words: text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '')
    .map((typed) => {
      const not = typed.length > 1 && typed.startsWith('-')
      const word = not ? typed.slice(1) : typed
      const colon = word.indexOf(':')
      if (colon <= 0) return { key: null, word, not }
      return { key: word.slice(0, colon), word: word.slice(colon + 1), not }
    }),
})

export const passes = ({ words }: Filter, fields: FilterFields): boolean => {
  for (const { key, word, not } of words) {
    const field = key === null ? null : fields(key)
    // An unknown key makes an ordinary word: a URL, a time.
    const wanted = field !== null || key === null ? word : `${key}:${word}`
    const found = (field ?? fields('')!).some((text) => text.includes(wanted))
    if (found === not) return false
  }
  return true
}

/** True if everything that passes `filter` passes `wider`, too, as when somebody types on. */
export const isNarrower = (filter: Filter, wider: Filter): boolean =>
  wider.words.length <= filter.words.length &&
  wider.words.every(({ key, word, not }, i) => {
    const other = filter.words[i]!
    return (
      key === other.key &&
      not === other.not &&
      (not ? word === other.word : other.word.startsWith(word))
    )
  })
