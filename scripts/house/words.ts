import { type Node, type Source, walk } from './sources.ts'

/** A sentence in a manner that CONTRIBUTING.md's style sheet forbids. */
export interface Bad {
  at: string
  text: string
}

const COMMENT = [/^\*?\s*(What|Who|Whose|Whom|Whether|That|How|Where) /]
const ANY = [/\bis no [a-z]/, /\bso many\b/, /\bis let in\b/, /\bone's own\b/]

const lineAt = (text: string, start: number): number => text.slice(0, start).split('\n').length

/** Bad patterns in the comments of a file. */
export const badComments = ({ file, text, comments }: Source): Bad[] =>
  comments
    .filter(
      ({ value }) =>
        COMMENT.some((pattern) => pattern.test(value.trim().replace(/^\*\s*/, ''))) ||
        ANY.some((pattern) => pattern.test(value)),
    )
    .map(({ value, start }) => ({
      at: `${file}:${lineAt(text, start)}`,
      text: value.replace(/\s*\n\s*\*?\s*/g, ' ').trim(),
    }))

/** The text of a string, of a part of a template, or of JSX. */
const textOf = (node: Node): string | null => {
  if (node.type === 'JSXText' || node.type === 'Literal')
    return typeof node.value === 'string' ? node.value : null
  if (node.type !== 'TemplateElement') return null
  return (node.value as { raw: string }).raw
}

/** Bad patterns in the strings of a file. */
export const badStrings = ({ file, text, program }: Source): Bad[] => {
  const found: Bad[] = []
  walk(program as unknown as Node, (node) => {
    const said = textOf(node)
    if (said === null || !ANY.some((pattern) => pattern.test(said))) return
    found.push({ at: `${file}:${lineAt(text, node.start)}`, text: said.trim() })
  })
  return found
}

/** Bad patterns in a document's lines, code blocks left out. */
export const badProse = (file: string, text: string): Bad[] => {
  let inCode = false
  return text
    .split('\n')
    .map((line, index) => ({ at: `${file}:${index + 1}`, text: line }))
    .filter(({ text: line }) => {
      if (line.startsWith('```')) inCode = !inCode
      return !inCode && ANY.some((pattern) => pattern.test(line))
    })
}
