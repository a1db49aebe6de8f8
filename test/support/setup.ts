import { afterAll, vi } from 'vitest'
import { endAll } from './at-end.ts'

const environment = { ...process.env }
const directory = process.cwd()
const umask = process.umask()

/** Files share a process: the next one finds what belongs to the process as this one found it. */
const putBack = (): void => {
  for (const name of Object.keys(process.env)) {
    if (!(name in environment)) delete process.env[name]
  }
  for (const [name, value] of Object.entries(environment)) {
    if (process.env[name] !== value) process.env[name] = value
  }
  if (process.cwd() !== directory) process.chdir(directory)
  process.umask(umask)
  vi.restoreAllMocks()
}

// Hooks of a setup file run after those of the test file.
afterAll(async () => {
  vi.useRealTimers()
  await endAll()
  putBack()
})
