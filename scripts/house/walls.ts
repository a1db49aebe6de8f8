import { dirname } from 'node:path'
import { arrowsOf, backUp } from './graph.ts'
import { classesOf, filesOf, foldersOf, functionsOf, type Sized } from './sizes.ts'
import { type Import, importsOf, type Source } from './sources.ts'
import { type Bad, badComments, badProse, badStrings } from './words.ts'

/** The most lines of a function, a class and a file, and the most files in a folder. */
export const MOST = { function: 80, class: 300, file: 400, folder: 20 } as const

const asText = ({ from, to }: Import): string => `${from} imports ${to}`

/** Imports of a folder that stands later in `order`, types included: `FILE imports FILE`. */
export const upwardImports = (sources: readonly Source[], order: readonly string[]): string[] =>
  backUp(arrowsOf(sources.flatMap(importsOf)), order).flatMap((arrow) => arrow.imports.map(asText))

const over = (kind: keyof typeof MOST, list: readonly Sized[]): string[] =>
  list
    .filter(({ lines }) => lines > MOST[kind])
    .map(({ at, lines }) => `${at.trim()}: ${kind} of ${lines} lines`)

/** Files that are longer than MOST. */
export const tooLong = (sources: readonly Source[]): string[] => over('file', filesOf(sources))

/** Functions, classes, files and folders that are larger than MOST. */
export const tooLarge = (sources: readonly Source[]): string[] => [
  ...over('function', functionsOf(sources)),
  ...over('class', classesOf(sources)),
  ...tooLong(sources),
  ...foldersOf(sources)
    .filter(([, files]) => files > MOST.folder)
    .map(([folder, files]) => `${folder}: folder of ${files} files`),
]

/** Bad patterns in comments, strings and documents: `FILE:LINE sentence`. */
export const badSentences = (
  sources: readonly Source[],
  documents: Readonly<Record<string, string>>,
): string[] => {
  const found: Bad[] = [
    ...sources.flatMap(badComments),
    ...sources.flatMap(badStrings),
    ...Object.entries(documents).flatMap(([file, text]) => badProse(file, text)),
  ]
  return found.map(({ at, text }) => `${at} ${text}`)
}

/** Error codes that a document does not name as code: `code`. */
export const undocumentedCodes = (codes: readonly string[], document: string): string[] =>
  codes.filter((code) => !document.includes(`\`${code}\``))

const isIn = (file: string, folder: string): boolean => file.startsWith(`${folder}/`)

/** Imports by a test from a folder that is neither its own nor test/support. */
export const helpersOutside = (tests: readonly Source[]): string[] =>
  tests
    .flatMap(importsOf)
    .filter(({ to }) => isIn(to, 'test') && !isIn(to, 'test/support'))
    .filter(({ from, to }) => dirname(from) === 'test' || !isIn(to, dirname(from)))
    .map(asText)
