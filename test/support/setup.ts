import { afterAll } from 'vitest'
import { endAll } from './at-end.ts'

// Hooks of a setup file run after those of the test file.
afterAll(endAll)
