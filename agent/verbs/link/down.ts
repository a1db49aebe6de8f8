import type { Verb } from '../../command/call.ts'

/** Disconnects all profiles, and stops the link. */
export const down: Verb = async ({ host: { link } }) => {
  if (link === null) return { data: { link: null }, lines: ['no link is running'] }
  link.stop()
  const { pid } = link
  return { data: { link: { pid } }, lines: [`link stopped (process ${pid})`] }
}
