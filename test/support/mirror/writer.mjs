// Edits files as tools do, each way in turn: inserts one marker line an edit at a random place. Says when it is done.
//   node writer.mjs NAME SEED EDITS PAUSE_MS DIR FILE…
import { execFileSync } from 'node:child_process'
import {
  appendFileSync,
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const [name, seedText, editsText, pauseText, dir, ...files] = process.argv.slice(2)
let state = Number(seedText) >>> 0
const random = (below) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0
  return Math.floor((state / 2 ** 32) * below)
}

const insert = (text, marker) => {
  const lines = text.split('\n')
  lines.splice(random(lines.length), 0, marker)
  return lines.join('\n')
}
const STYLES = {
  inPlace: (path, marker) => writeFileSync(path, insert(readFileSync(path, 'utf8'), marker)),
  renameInto: (path, marker) => {
    writeFileSync(`${path}.swp.tmp`, insert(readFileSync(path, 'utf8'), marker))
    renameSync(`${path}.swp.tmp`, path)
  },
  truncate: (path, marker) => {
    const text = insert(readFileSync(path, 'utf8'), marker)
    const file = openSync(path, 'w')
    const half = text.length >> 1
    writeSync(file, text.slice(0, half))
    writeSync(file, text.slice(half))
    closeSync(file)
  },
  append: (path, marker) => appendFileSync(path, `${marker}\n`),
  sed: (path, marker) => execFileSync('sed', ['-i', `1i ${marker}`, path], { stdio: 'ignore' }),
}

const styles = Object.keys(STYLES)
for (let i = 0; i < Number(editsText); i++) {
  const path = join(dir, files[random(files.length)])
  try {
    // A file without a last line end would have the appended marker on a line with something else.
    STYLES[styles[i % styles.length]](path, `<${name}-${i}>`)
    process.stdout.write(`<${name}-${i}>\n`)
  } catch (error) {
    if (error.code !== 'ENOENT' && error.status === undefined) throw error // it was deleted meanwhile
  }
  const pause = random(2 * Number(pauseText))
  if (pause > 0) await new Promise((next) => setTimeout(next, pause))
}
