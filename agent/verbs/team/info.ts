import { serverInfo } from '../../../client/http/api.ts'
import type { Verb } from '../../command/call.ts'
import { oneLine, word } from '../../command/text.ts'

export const info: Verb = async (call) => {
  const { base } = call.target
  const server = { url: base, ...(await serverInfo(call.target)) }
  const lines = Object.entries(server).map(([key, value]) =>
    oneLine(`${word(key)}: ${typeof value === 'string' ? value : JSON.stringify(value)}`),
  )
  return { data: { server }, lines }
}
