import { type Language, languageOf } from './languages.ts'
import { MAX_UNITS, type WordedLine } from './tokens.ts'

/** A text whose words have colours. */
export interface WordedText {
  language: Language
  text: string
}

/** The lines of texts that were looked at, by language and text. */
export type Words = ReadonlyMap<Language, ReadonlyMap<string, readonly WordedLine[]>>

export const NO_WORDS: Words = new Map()

/** The texts of a file, those that have a language and are not too long. */
export const wordedTexts = (path: string, texts: readonly string[]): WordedText[] => {
  const language = languageOf(path)
  if (language === null) return []
  return texts.flatMap((text) =>
    text === '' || text.length > MAX_UNITS ? [] : [{ language, text }],
  )
}

const NONE: readonly WordedLine[] = []

/** The lines of a text of a file; none while they are not known. */
export const wordsIn = (words: Words, path: string, text: string): readonly WordedLine[] => {
  const language = languageOf(path)
  return language === null ? NONE : (words.get(language)?.get(text) ?? NONE)
}
