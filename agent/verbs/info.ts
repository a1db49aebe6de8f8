import { serverInfo } from '../../workspace/link/commands.ts'
import type { Verb } from '../call.ts'
import { oneLine, word } from '../text.ts'

export const info: Verb = async (call) => {
  const { base } = call.target
  const server = { url: base, ...(await serverInfo(call.target)) }
  const lines = Object.entries(server).map(([key, value]) =>
    oneLine(`${word(key)}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
  )
  return { data: { server }, lines }
}
