import { execFileSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { root, tempDir } from '../support/server.ts'

const NOTES = '### Added\n- a verb'

const json = (value: object): string => `${JSON.stringify(value, null, 2)}\n`

/** A repository of one commit with these files, and the script that releases it. */
const repositoryOf = (files: Record<string, string>) => {
  const dir = tempDir('release')
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: dir, encoding: 'utf8' }).trim()
  const read = (name: string): string => readFileSync(join(dir, name), 'utf8')
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text)
  git('init', '-q', '-b', 'main')
  git('config', 'user.name', 'test')
  git('config', 'user.email', 'test@example.com')
  git('add', '.')
  git('commit', '-q', '-m', 'first')
  const release = (...args: string[]) => {
    const ran = spawnSync(process.execPath, [join(root, 'scripts/release.mjs'), ...args], {
      env: { ...process.env, CLAWLINK_RELEASE_ROOT: dir },
      encoding: 'utf8',
    })
    return { code: ran.status, out: ran.stdout, err: ran.stderr }
  }
  return { git, read, release }
}

const repository = (version: string, changelog: string) => {
  const manifest = { name: 'clawlink', version, files: ['README.md'] }
  return repositoryOf({
    'package.json': json(manifest),
    'package-lock.json': json({ name: 'clawlink', version, packages: { '': manifest } }),
    'README.md': `npm install --global ./clawlink-${version}.tgz\n`,
    'CHANGELOG.md': changelog,
  })
}

const CHANGELOG = `# Changelog\n\n## 2.1.0 (unreleased)\n${NOTES}\n\n## 2.0.0 (2026-01-01)\n- old\n`

it('a dry release says what it would do, and changes nothing', () => {
  const { git, release } = repository('2.0.0', CHANGELOG)
  const { code, out } = release('2.1.0', '--dry-run')
  expect(code).toBe(0)
  expect(out).toContain('would: tag v2.1.0')
  expect(out).toContain('npm publish --provenance --access public --tag latest')
  expect(out.endsWith(`release notes:\n\n${NOTES}\n`)).toBe(true)
  expect(git('status', '--porcelain')).toBe('')
  expect(git('tag')).toBe('')
  expect(git('rev-list', '--count', 'HEAD')).toBe('1')
})

it('a release writes version and date, commits and tags', () => {
  const { git, read, release } = repository('2.0.0', CHANGELOG)
  expect(release('2.1.0')).toMatchObject({ code: 0, err: '' })
  expect(JSON.parse(read('package.json')).version).toBe('2.1.0')
  const lock = JSON.parse(read('package-lock.json'))
  expect([lock.version, lock.packages[''].version]).toEqual(['2.1.0', '2.1.0'])
  expect(read('README.md')).toContain('clawlink-2.1.0.tgz')
  expect(read('CHANGELOG.md')).toMatch(/^## 2\.1\.0 \(\d{4}-\d\d-\d\d\)$/m)
  expect(git('status', '--porcelain')).toBe('')
  expect(git('log', '-1', '--format=%s')).toBe('Release 2.1.0')
  expect(git('describe', '--exact-match')).toBe('v2.1.0')
  expect(release('--notes', '2.1.0').out).toBe(`${NOTES}\n`)
  expect(release('2.1.0')).toMatchObject({ code: 1 })
})

it('a pre-release goes to its own channel of npm', () => {
  const { release } = repository('2.1.0-beta.1', '# Changelog\n\n## 2.1.0-beta.1\n- new\n')
  expect(release('--channel').out).toBe('beta\n')
})

it('a release is rejected where version or changelog do not fit', () => {
  const { release } = repository('2.0.0', CHANGELOG)
  const fails = (...args: string[]) => release(...args).err
  expect(fails('2.2.0')).toBe(
    'error: CHANGELOG.md has nothing on 2.2.0 — write a section: ## 2.2.0 (unreleased)\n',
  )
  expect(fails('two', '--dry-run')).toContain('error: CHANGELOG.md has nothing on two')
  expect(fails('2.0.0')).toContain('error: 2.0.0 is not the first section of CHANGELOG.md')
  expect(fails('--notes', '2.1.0')).toContain('error: package.json has 2.0.0, not 2.1.0')
})

it('the files of this tree are as a release needs them', () => {
  const names = ['package.json', 'package-lock.json', 'README.md', 'CHANGELOG.md']
  const files = Object.fromEntries(names.map((n) => [n, readFileSync(join(root, n), 'utf8')]))
  // As it is before its release, also on the commit of the release.
  files['CHANGELOG.md'] = files['CHANGELOG.md']!.replace(/^(## \S+) \(.+\)$/m, '$1 (unreleased)')
  const { version } = JSON.parse(files['package.json']!)
  const { read, release } = repositoryOf(files)
  expect(release('--dry-run')).toMatchObject({ code: 0, err: '' })
  expect(release()).toMatchObject({ code: 0, err: '' })
  expect(read('package-lock.json')).toBe(files['package-lock.json'])
  expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## ${version} \\(2\\d{3}-`, 'm'))
})

it('npm ci warns of no package’s engines on this Node', () => {
  const args = ['ci', '--dry-run', '--ignore-scripts', '--offline']
  const ran = spawnSync('npm', args, { cwd: root, encoding: 'utf8' })
  expect(ran.status).toBe(0)
  expect(ran.stderr).not.toContain('EBADENGINE')
})

it('npm run proof lists the proofs; one that does not exist is exit 2', () => {
  const proof = (...args: string[]) =>
    spawnSync(process.execPath, [join(root, 'scripts/proof.mjs'), ...args], { encoding: 'utf8' })
  expect(proof()).toMatchObject({ status: 0, stderr: '' })
  const names = [...proof().stdout.matchAll(/^ {2}([a-z-]+)/gm)].map(([, name]) => name)
  expect(names).toContain('delivery')
  const { status, stderr } = proof('deliveries')
  expect(status).toBe(2)
  expect(stderr).toBe(`error: unknown proof deliveries — known proofs: ${names.join(', ')}\n`)
})
