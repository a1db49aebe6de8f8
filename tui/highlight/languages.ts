/** Languages as highlight.js names them, and the endings of names of their files. */
const ENDINGS = {
  bash: ['sh', 'bash', 'zsh'],
  c: ['c', 'h'],
  cpp: ['cc', 'cpp', 'hpp'],
  csharp: ['cs'],
  css: ['css', 'scss'],
  diff: ['diff', 'patch'],
  go: ['go'],
  ini: ['ini'],
  java: ['java'],
  javascript: ['js', 'mjs', 'cjs', 'jsx'],
  json: ['json', 'jsonc'],
  kotlin: ['kt', 'kts'],
  markdown: ['md'],
  php: ['php'],
  python: ['py'],
  ruby: ['rb'],
  rust: ['rs'],
  sql: ['sql'],
  swift: ['swift'],
  toml: ['toml'],
  typescript: ['ts', 'mts', 'cts', 'tsx'],
  xml: ['xml', 'html', 'svg'],
  yaml: ['yaml', 'yml'],
} as const

export type Language = keyof typeof ENDINGS

export const LANGUAGES = Object.keys(ENDINGS) as Language[]

const BY_ENDING = new Map<string, Language>(
  LANGUAGES.flatMap((language) => ENDINGS[language].map((ending) => [ending, language] as const)),
)

/** The language of a file by the ending of its name; null: unknown. */
export const languageOf = (path: string): Language | null => {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ''
  return BY_ENDING.get(ending) ?? null
}
