import type { Verb } from '../call.ts'

/** Has the link leave for all profiles, and stop. */
export const down: Verb = async ({ host: { link } }) => {
  if (link === null) return { data: { link: null }, lines: ['no link is running'] }
  link.stop()
  const { pid } = link
  return { data: { link: { pid } }, lines: [`the link, process ${pid}, leaves`] }
}
