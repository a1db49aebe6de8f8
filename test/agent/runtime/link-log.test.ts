import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { MAX_LOG_BYTES, openLog } from '../../../agent/session/log.ts'
import { tempDir } from '../../support/server.ts'

it('[LINK-18] [LINK-23] the log is two files of bounded size, whatever is said, and the newest is in it', () => {
  const home = tempDir('home')
  const lines = ['short', 'ä'.repeat(1_000), `${'long '.repeat(1_000_000)}`]
  const log = openLog(home)
  for (let i = 0; i < 900; i++) log(`${i} ${lines[i % lines.length]}`)
  log('the last line')
  expect(readdirSync(home).sort()).toEqual(['link.log', 'link.log.1'])
  for (const file of ['link.log', 'link.log.1']) {
    expect(statSync(join(home, file)).size).toBeLessThanOrEqual(MAX_LOG_BYTES)
    expect(statSync(join(home, file)).mode & 0o777).toBe(0o600)
  }
  expect(readFileSync(join(home, 'link.log'), 'utf8')).toMatch(/Z the last line\n$/)
})

it('[LINK-18] the log goes on where the last link left off', () => {
  const home = tempDir('home')
  const path = join(home, 'link.log')
  openLog(home)('one')
  openLog(home)('two')
  expect(readFileSync(path, 'utf8')).toMatch(/^\S+Z one\n\S+Z two\n$/)
  writeFileSync(path, 'x'.repeat(MAX_LOG_BYTES))
  openLog(home)('three')
  expect(readFileSync(path, 'utf8')).toMatch(/^\S+Z three\n$/)
  expect(statSync(`${path}.1`).size).toBe(MAX_LOG_BYTES)
})

it('[LINK-18] where nothing can be written, nothing is', () => {
  expect(() => openLog(join(tempDir('home'), 'none'))('lost')).not.toThrow()
})
