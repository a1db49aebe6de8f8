import { execFileSync } from 'node:child_process'
import { root } from './server.ts'

/** Tests of the programs run what is built, so it is built first, always. */
export const setup = (): void => {
  execFileSync(process.execPath, ['scripts/build.mjs'], { cwd: root, stdio: 'inherit' })
}
