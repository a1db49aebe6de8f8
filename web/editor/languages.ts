import type { EditorView } from '@codemirror/view'
import { type Language, languageOf } from '../../tui/highlight/languages.ts'
import type { Grammar } from './colours.ts'

const clike = () => import('@codemirror/legacy-modes/mode/clike')
const script = () => import('@codemirror/legacy-modes/mode/javascript')

/** Each is a file of its own, loaded with the first text in its language. */
const GRAMMARS: Readonly<Record<Language, () => Promise<Grammar>>> = {
  bash: async () => (await import('@codemirror/legacy-modes/mode/shell')).shell,
  c: async () => (await clike()).c,
  cpp: async () => (await clike()).cpp,
  csharp: async () => (await clike()).csharp,
  css: async () => (await import('@codemirror/legacy-modes/mode/css')).sCSS,
  diff: async () => (await import('@codemirror/legacy-modes/mode/diff')).diff,
  go: async () => (await import('@codemirror/legacy-modes/mode/go')).go,
  ini: async () => (await import('@codemirror/legacy-modes/mode/properties')).properties,
  java: async () => (await clike()).java,
  javascript: async () => (await script()).javascript,
  json: async () => (await script()).json,
  kotlin: async () => (await clike()).kotlin,
  markdown: async () => (await import('@lezer/markdown')).parser,
  php: async () => (await import('./php.ts')).php,
  python: async () => (await import('@codemirror/legacy-modes/mode/python')).python,
  ruby: async () => (await import('@codemirror/legacy-modes/mode/ruby')).ruby,
  rust: async () => (await import('@codemirror/legacy-modes/mode/rust')).rust,
  sql: async () => (await import('@codemirror/legacy-modes/mode/sql')).standardSQL,
  swift: async () => (await import('@codemirror/legacy-modes/mode/swift')).swift,
  toml: async () => (await import('@codemirror/legacy-modes/mode/toml')).toml,
  typescript: async () => (await script()).typescript,
  xml: async () => (await import('@codemirror/legacy-modes/mode/xml')).html,
  yaml: async () => (await import('@codemirror/legacy-modes/mode/yaml')).yaml,
}

/** Gives the words of a file colours, if its language is known. Rejects if they cannot be loaded. */
export const colour = async (view: EditorView, path: string): Promise<void> => {
  const language = languageOf(path)
  if (language === null) return
  const [{ addColours }, grammar] = await Promise.all([
    import('./colours.ts'),
    GRAMMARS[language](),
  ])
  addColours(view, grammar)
}
