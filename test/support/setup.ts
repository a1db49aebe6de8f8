import { afterAll } from 'vitest'
import { endAll } from './at-end.ts'

const environment = { ...process.env }
const directory = process.cwd()

/** Files share a process: the next one finds the environment and the working directory as this one found them. */
const putBack = (): void => {
  for (const name of Object.keys(process.env)) {
    if (!(name in environment)) delete process.env[name]
  }
  for (const [name, value] of Object.entries(environment)) {
    if (process.env[name] !== value) process.env[name] = value
  }
  if (process.cwd() !== directory) process.chdir(directory)
}

// Hooks of a setup file run after those of the test file.
afterAll(async () => {
  await endAll()
  putBack()
})
