/**
 * What `/` takes: words that must all be in what is shown, in any case; `key:word` looks at one field only. A dash before
 * either means that it must not be there.
 */
export interface Filter {
  words: readonly { key: string | null; word: string; not: boolean }[]
}

/** What a thing is looked for by: fields by name, the values in lower case; '' is all of its text. */
export type Fields = Readonly<Record<string, string>> & { '': string }

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

export const passes = ({ words }: Filter, fields: Fields): boolean =>
  words.every(({ key, word, not }) => {
    const field = key === null ? undefined : fields[key]
    // What is no field's name is a word like any other: a URL, a time.
    const found =
      field === undefined
        ? fields[''].includes(key === null ? word : `${key}:${word}`)
        : field.includes(word)
    return found !== not
  })
