import { dirname } from 'node:path'
import { arrowsOf, backUp, circlesOf, greedyOrder } from './graph.ts'
import { LAYERS } from './layers.ts'
import { classesOf, filesOf, foldersOf, functionsOf, namesTwice, type Sized } from './sizes.ts'
import { documentsIn, importsOf, readSources } from './sources.ts'
import { badComments, badProse, badStrings } from './words.ts'

/**
 * Counts how the code is built: `node scripts/run-ts.mjs scripts/house/main.ts [ROOT] [--all]`. `--all` names each
 * arrow back up, each circle and each bad sentence.
 */
const root = process.argv[2]?.startsWith('-') === false ? process.argv[2] : process.cwd()
const all = process.argv.includes('--all')

const sources = readSources(root)
const imports = sources.flatMap(importsOf)
const values = imports.filter(({ type }) => !type)
const arrows = arrowsOf(imports)
const hasLayers = LAYERS.length > 0 && foldersOf(sources).every(([name]) => LAYERS.includes(name))
const order = hasLayers ? LAYERS : greedyOrder(arrows)
const back = backUp(arrows, order)
const backValues = back.filter((arrow) => arrow.imports.some(({ type }) => !type))
const between = (list: typeof imports) =>
  list.map(({ from, to }) => [dirname(from), dirname(to)] as const).filter(([a, b]) => a !== b)
const bad = {
  comments: sources.flatMap(badComments),
  strings: sources.flatMap(badStrings),
  documents: Object.entries(documentsIn(root)).flatMap(([name, text]) => badProse(name, text)),
}
const most = ([one]: readonly Sized[]): string => `${one!.lines} (${one!.at.trim()})`
const over = (list: readonly Sized[], limit: number) =>
  list.filter(({ lines }) => lines > limit).length

const functions = functionsOf(sources)
const classes = classesOf(sources)
const files = filesOf(sources)
const folders = foldersOf(sources)
const rows: [string, string | number][] = [
  ['files', sources.length],
  ['lines', files.reduce((sum, { lines }) => sum + lines, 0)],
  ['folders', folders.length],
  ['arrows between folders', arrows.length],
  [`arrows back up${hasLayers ? '' : ' (best order found)'}`, back.length],
  ['of these with values', backValues.length],
  ['circles of folders', circlesOf(between(imports)).length],
  ['folders in circles', circlesOf(between(imports)).flat().length],
  ['circles of files, values only', circlesOf(values.map(({ from, to }) => [from, to])).length],
  ['longest function', most(functions)],
  ['functions over 80 lines', over(functions, 80)],
  ['longest class', most(classes)],
  ['classes over 300 lines', over(classes, 300)],
  ['longest file', most(files)],
  ['files over 400 lines', over(files, 400)],
  ['most files in a folder', `${folders[0]![1]} (${folders[0]![0]})`],
  ['folders with more than 20 files', folders.filter(([, count]) => count > 20).length],
  ['exported names that occur twice', namesTwice(sources).length],
  ['bad patterns in comments', bad.comments.length],
  ['bad patterns in strings', bad.strings.length],
  ['bad patterns in documents', bad.documents.length],
]
console.log('| | |\n|---|---|')
for (const [what, count] of rows) console.log(`| ${what} | ${count} |`)
if (all) {
  console.log('\nback up:')
  for (const { from, to, imports: made } of back) {
    console.log(`${from} -> ${to}`)
    for (const one of made) console.log(`    ${one.from} -> ${one.to}${one.type ? ' (type)' : ''}`)
  }
  console.log('\ncircles:', circlesOf(between(imports)))
  console.log('\nnames twice:', namesTwice(sources).join(' '))
  for (const list of Object.values(bad)) for (const { at, text } of list) console.log(at, text)
}
