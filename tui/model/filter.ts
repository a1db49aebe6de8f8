/**
 * What `/` takes: words that must all be in what is shown, in any case; `key:word` looks at one field only. A dash before
 * either means that it must not be there.
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
 * What a thing is looked for by, in lower case: the texts of one of its fields, of '' all that it has; null: it has no
 * such field.
 */
export type Fields = (key: string) => readonly string[] | null

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

export const passes = ({ words }: Filter, fields: Fields): boolean => {
  for (const { key, word, not } of words) {
    const field = key === null ? null : fields(key)
    // What is no field's name is a word like any other: a URL, a time.
    const wanted = field !== null || key === null ? word : `${key}:${word}`
    const found = (field ?? fields('')!).some((text) => text.includes(wanted))
    if (found === not) return false
  }
  return true
}

/** Whether all that passes `filter` passes `wider`, too: somebody typed on. */
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
