import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Level } from 'level'

/**
 * Answers each request once a put of its own is fsync'd, what comes meanwhile in one batch: what it costs to keep one's
 * word at all, with no document, no rules and nobody else to tell. Hands out `count` things, one each.
 */
const [dir = '', count = '1000'] = process.argv.slice(2)
const db = new Level<string, string>(dir)
await db.open()
let left = Number(count)
let waiting: { key: string; done: () => void }[] = []
let isWriting = false

const write = async (): Promise<void> => {
  isWriting = true
  while (waiting.length > 0) {
    const batch = waiting
    waiting = []
    const puts = batch.map(({ key }) => ({ type: 'put' as const, key, value: 'x'.repeat(200) }))
    await db.batch(puts, { sync: true })
    for (const { done } of batch) done()
  }
  isWriting = false
}

const server = createServer((request, response) => {
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    const answer = (status: number, json: object): void => {
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(json))
    }
    if (left === 0) {
      const error = { code: 'nothing_to_claim', message: '', hint: '', retryable: false }
      return answer(404, { ok: false, error })
    }
    const key = `t-${left--}`
    JSON.parse(body)
    waiting.push({ key, done: () => answer(200, { ok: true, data: { task: { task_id: key } } }) })
    if (!isWriting) void write()
  })
})
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
