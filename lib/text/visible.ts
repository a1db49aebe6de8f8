/**
 * Characters that show nothing or change the text around them: controls, line separators,
 * bidirectional marks, surrogates, noncharacters, tag characters, variation selectors, fillers, all
 * of Unicode's default ignorables, and the blank Braille cell. They can carry text that only a
 * program reads.
 */
const HIDDEN =
  '[\\p{Cc}\\p{Cs}\\p{Zl}\\p{Zp}\\p{Bidi_Control}\\p{Default_Ignorable_Code_Point}\\p{Noncharacter_Code_Point}\\u2800\\ufff9-\\ufffb\\u{13430}-\\u{1343f}]'

/** Scripts that use joiners and non-joiners. */
const JOINING = [
  ...['Arabic', 'Syriac', 'Nko', 'Mongolian', 'Mandaic', 'Adlam', 'Hanifi_Rohingya', 'Phags_Pa'],
  ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada'],
  ...['Malayalam', 'Sinhala', 'Khmer', 'Myanmar', 'Tibetan', 'Balinese', 'Javanese'],
]
const LETTER = `(?=[\\p{L}\\p{M}])[${JOINING.map((script) => `\\p{scx=${script}}`).join('')}]`
const EMOJI = '\\p{Extended_Pictographic}'

/** Hidden characters that belong to a word or a picture where they stand: one alternative each. */
const IN_PLACE = [
  `(?<=${LETTER})[\\u200c\\u200d](?=${LETTER})`,
  `(?<=${EMOJI}\\ufe0f?|\\p{Emoji_Modifier})\\u200d(?=${EMOJI})`,
  `(?<=${EMOJI})[\\ufe0e\\ufe0f]`,
  `(?<=[0-9#*])\\ufe0f(?=\\u20e3)`,
  // The flags of England, Scotland and Wales: the only ones of this kind in use.
  `\\u{1f3f4}\\u{e0067}\\u{e0062}(?:\\u{e0065}\\u{e006e}\\u{e0067}|\\u{e0073}\\u{e0063}\\u{e0074}|\\u{e0077}\\u{e006c}\\u{e0073})\\u{e007f}`,
].join('|')

const SUSPECT = new RegExp(HIDDEN, 'u')
/** Made with the first suspect text: its character classes cost 10 ms at the start of a program. */
let keptOrHidden: RegExp | null = null

/** Replaces each hidden character, at its UTF-16 offset, by the result of `show`. */
export const replaceHidden = (text: string, show: (char: string, at: number) => string): string => {
  if (!SUSPECT.test(text)) return text
  keptOrHidden ??= new RegExp(`(${IN_PLACE})|${HIDDEN}`, 'gu')
  return text.replace(keptOrHidden, (char: string, kept: string | undefined, at: number) =>
    kept === undefined ? show(char, at) : char,
  )
}

const SHOWING = new RegExp(`(?!${HIDDEN})\\S`, 'u')

/** Tells whether a text is empty or shows nothing. */
export const isBlank = (text: string): boolean => !SHOWING.test(text)

export const hasHidden = (text: string): boolean => {
  let found = false
  replaceHidden(text, (char) => {
    found = true
    return char
  })
  return found
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** A hidden character as its code: `\n`, `\u200b`, `\u{e0041}`. */
export const escapeHidden = (char: string): string => {
  const code = char.codePointAt(0)!.toString(16)
  return SHORT[char] ?? (char.length > 1 ? `\\u{${code}}` : `\\u${code.padStart(4, '0')}`)
}

/** Any text as one line without hidden characters. */
export const oneLine = (text: string): string => replaceHidden(text, escapeHidden)

/** JSON on one line without hidden characters; it parses to the same value. */
export const safeJson = (value: unknown): string =>
  replaceHidden(JSON.stringify(value), (char) =>
    Array.from({ length: char.length }, (_, i) => escapeHidden(char[i]!)).join(''),
  )
