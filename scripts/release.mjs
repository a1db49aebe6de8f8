// Makes a release:
//   npm run release -- VERSION [--dry-run]   checks, writes version and changelog, commits, tags, packs
//   node scripts/release.mjs --notes VERSION prints the section of the changelog
//   node scripts/release.mjs --channel       prints npm's tag for the version: `latest`, or the name of the pre-release
// `git push --follow-tags` publishes it: .github/workflows/release.yml. `--dry-run` changes nothing.
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = process.env.CLAWLINK_RELEASE_ROOT ?? fileURLToPath(new URL('..', import.meta.url))
const at = (name) => join(root, name)
const read = (name) => readFileSync(at(name), 'utf8')

class ReleaseError extends Error {}
const fail = (wrong, remedy) => {
  throw new ReleaseError(`${wrong} — ${remedy}`)
}

const VERSION = /^(\d+)\.(\d+)\.(\d+)(?:-([a-z]+)\.(\d+))?$/

/** The version as comparable numbers; a pre-release stands before its release. */
const partsOf = (version) => {
  const [, major, minor, patch, name, count] =
    VERSION.exec(version) ??
    fail(`${version} is not a version`, 'use MAJOR.MINOR.PATCH or MAJOR.MINOR.PATCH-NAME.N')
  return [major, minor, patch]
    .map(Number)
    .concat(name === undefined ? [1, '', 0] : [0, name, Number(count)])
}

const isLater = (version, than) => {
  const [a, b] = [partsOf(version), partsOf(than)]
  const index = a.findIndex((part, i) => part !== b[i])
  return index >= 0 && a[index] > b[index]
}

const channelOf = (version) => VERSION.exec(version)?.[4] ?? 'latest'

/** Sections of the changelog, newest first. */
const sectionsOf = (changelog) =>
  [...changelog.matchAll(/^## (\S+)(?: \((.+)\))?\n([\s\S]*?)(?=^## |(?![\s\S]))/gm)].map(
    ([, version, note, text]) => ({ version, note, text: text.trim() }),
  )

const notesOf = (version) => {
  const section = sectionsOf(read('CHANGELOG.md')).find((one) => one.version === version)
  if (section === undefined || section.text === '')
    fail(`CHANGELOG.md has nothing on ${version}`, `write a section: ## ${version} (unreleased)`)
  return section
}

const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim()

/** Throws what speaks against a release of `version` from here. */
const check = (version, isDry) => {
  const { version: current } = JSON.parse(read('package.json'))
  const section = notesOf(version)
  if (version !== current && !isLater(version, current))
    fail(`${version} is not later than ${current}`, 'choose a later version')
  if (sectionsOf(read('CHANGELOG.md'))[0].version !== version)
    fail(`${version} is not the first section of CHANGELOG.md`, 'move it to the top')
  if (section.note !== undefined && section.note !== 'unreleased')
    fail(`${version} was released on ${section.note}`, 'choose a later version')
  if (git('tag', '--list', `v${version}`) !== '')
    fail(`the tag v${version} exists`, 'choose a later version')
  if (!isDry && git('status', '--porcelain') !== '')
    fail('the work tree has changes', 'commit or stash them')
  return section
}

const write = (name, change) => writeFileSync(at(name), change(read(name)))

/** Writes the version to each file that has it; the first line of the README that installs it, too. */
const setVersion = (version, today) => {
  const { version: current } = JSON.parse(read('package.json'))
  const first = (text) => text.replace(`"version": "${current}"`, `"version": "${version}"`)
  write('package.json', first)
  write('package-lock.json', (text) => first(first(text)))
  write('README.md', (text) =>
    text.replaceAll(`clawlink-${current}.tgz`, `clawlink-${version}.tgz`),
  )
  write('CHANGELOG.md', (text) =>
    text.replace(`## ${version} (unreleased)`, `## ${version} (${today})`),
  )
}

const release = (version, isDry) => {
  const { text } = check(version, isDry)
  const today = new Date().toISOString().slice(0, 10)
  const steps = [
    [
      `version ${version} in package.json, package-lock.json, README.md`,
      () => setVersion(version, today),
    ],
    [`CHANGELOG.md: ## ${version} (${today})`, () => {}],
    [`commit "Release ${version}"`, () => git('commit', '-qam', `Release ${version}`)],
    [`tag v${version}`, () => git('tag', '-a', `v${version}`, '-m', `ClawLink ${version}`)],
  ]
  for (const [what, run] of steps) {
    console.log(`${isDry ? 'would: ' : ''}${what}`)
    if (!isDry) run()
  }
  const packed = JSON.parse(
    execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
      ...{ cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
    }),
  )[0]
  console.log(`package: ${packed.files.length} files, ${packed.size} bytes packed`)
  console.log(
    `${isDry ? 'would publish' : 'to publish'}: git push --follow-tags; ` +
      `the workflow runs npm publish --provenance --access public --tag ${channelOf(version)}`,
  )
  console.log(`\nrelease notes:\n\n${text}`)
}

const args = process.argv.slice(2).filter((arg) => arg !== '--dry-run')
const isDry = process.argv.includes('--dry-run')
const [first, ...rest] = args
try {
  const { version } = JSON.parse(read('package.json'))
  if (first === '--channel') console.log(channelOf(version))
  else if (first === '--notes') {
    const [wanted = version] = rest
    if (wanted !== version)
      fail(`package.json has ${version}, not ${wanted}`, 'tag the commit of the release')
    console.log(notesOf(wanted).text)
  } else release(first ?? version, isDry)
} catch (error) {
  if (!(error instanceof ReleaseError)) throw error
  console.error(`error: ${error.message}`)
  process.exitCode = 1
}
