import type { LinkAt } from '../../../client/resident/run.ts'
import { attachTo } from '../attach.ts'

/** A program that is attached, types into a file as fast as it can, and gets killed in the middle of that. */
const [link, server] = process.argv.slice(2) as [string, string]
const attached = await attachTo(JSON.parse(link) as LinkAt, server)
const text = attached.doc.getText('file:typed.txt')
console.log(attached.doc.clientID)
const type = (n: number): void => {
  text.insert(text.length, `${n}\n`)
  setImmediate(type, n + 1)
}
type(0)
