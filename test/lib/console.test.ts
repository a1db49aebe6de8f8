import { afterEach, expect, it } from 'vitest'
import { redirectConsole } from '../../lib/console.ts'

const { log, info, debug, warn, error } = console
afterEach(() => {
  Object.assign(console, { log, info, debug, warn, error })
})

it('sends all of the console to one function; the last call holds', () => {
  const said: unknown[][] = []
  redirectConsole(() => said.push(['first']))
  redirectConsole((...given) => said.push(given))
  console.log('a', 1)
  console.info('b')
  console.debug('c')
  console.warn('d')
  console.error('e')
  expect(said).toEqual([['a', 1], ['b'], ['c'], ['d'], ['e']])
})
