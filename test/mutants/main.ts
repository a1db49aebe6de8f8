import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root, tempDir } from '../support/server.ts'
import { MUTANTS, type Mutant } from './mutants.ts'

/**
 * Puts each mutant, alone, into a copy of this tree and runs the tests of its rule there: `npm run proof -- mutants
 * [NAME…]`. A mutant that no test of its rule finds has survived: exit 1.
 */
const wanted = process.argv.slice(2)
const mutants = MUTANTS.filter(({ name }) => wanted.length === 0 || wanted.includes(name))
if (mutants.length === 0) throw new Error(`no mutant is called ${wanted.join(' or ')}`)

const copy = tempDir('mutants')
const files = execFileSync('git', ['ls-files', '-z', '-c', '-o', '--exclude-standard'], {
  cwd: root,
  encoding: 'utf8',
})
for (const file of files.split('\0').filter((name) => name !== '')) {
  mkdirSync(dirname(join(copy, file)), { recursive: true })
  cpSync(join(root, file), join(copy, file))
}
symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))

const report = join(copy, 'report.json')

/** How many tests of a rule pass and fail in the copy. */
const runTests = ({ rule, tests }: Mutant): { passed: number; failed: number } => {
  writeFileSync(report, '{}')
  const pattern = rule.replace(/[[\]]/g, '\\$&')
  const args = ['run', '--project', 'unit', tests, '-t', pattern, '--reporter=json']
  spawnSync(join(copy, 'node_modules/.bin/vitest'), [...args, `--outputFile.json=${report}`], {
    cwd: copy,
    stdio: 'ignore',
  })
  const found = JSON.parse(readFileSync(report, 'utf8')) as {
    numPassedTests?: number
    numFailedTests?: number
  }
  return { passed: found.numPassedTests ?? 0, failed: found.numFailedTests ?? 0 }
}

const faults: string[] = []
const whole = new Set<string>()
for (const mutant of mutants) {
  const { rule, name, file, find, replace } = mutant
  const text = readFileSync(join(root, file), 'utf8')
  if (text.split(find).length !== 2) throw new Error(`${name}: ${find} is not once in ${file}`)
  const key = `${rule} ${mutant.tests}`
  if (!whole.has(key)) {
    const { passed, failed } = runTests(mutant)
    if (passed === 0 || failed > 0)
      throw new Error(`${rule}: ${passed} tests pass and ${failed} fail without a mutant`)
    whole.add(key)
  }
  writeFileSync(
    join(copy, file),
    text.replace(find, () => replace),
  )
  const { passed, failed } = runTests(mutant)
  writeFileSync(join(copy, file), text)
  if (failed === 0) faults.push(`${rule} ${name}`)
  const outcome = failed > 0 ? `killed by ${failed} of ${passed + failed} tests` : 'SURVIVED'
  console.log(`${rule.padEnd(6)} ${name.padEnd(24)} ${file.padEnd(44)} ${outcome}`)
}
console.log(`${mutants.length - faults.length} of ${mutants.length} mutants killed`)
if (faults.length > 0) {
  console.error(`error: survived: ${faults.join(', ')} — add a test of the rule that finds it`)
  process.exitCode = 1
}
