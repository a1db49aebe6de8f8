import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, createServer as createTcp } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { exchangeHttp, HttpFailure, openHttp, textOf } from '../../lib/http.ts'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const serve = async (listener: RequestListener): Promise<URL> => {
  const server = createServer(listener).listen(0, '127.0.0.1')
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?q=1`)
}

const plain = { method: 'POST', timeoutMs: 10_000, maxBytes: 1024 }

it('sends method, path, headers and body, and resolves to the whole answer', async () => {
  const url = await serve(async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    response.writeHead(404, { 'x-said': String(request.headers['x-asked']) })
    response.end(`${request.method} ${request.url} ${body}`)
  })
  const answer = await exchangeHttp(url, { ...plain, headers: { 'x-asked': 'yes' }, body: 'ä' })
  expect(answer).toMatchObject({ status: 404, text: 'POST /path?q=1 ä' })
  expect(answer.headers['x-said']).toBe('yes')
  const pieces = async function* () {
    yield Buffer.from('a')
    yield Buffer.from('b')
  }
  const streamed = await openHttp(url, { ...plain, body: pieces() })
  expect(await textOf(streamed, 100)).toBe('POST /path?q=1 ab')
})

it('an answer above the bound fails, and the rest of it is not read', async () => {
  let isClosed = false
  const url = await serve((_, response) => {
    const more = (): void => {
      if (!isClosed) response.write('x'.repeat(1_000), () => setImmediate(more))
    }
    response.once('close', () => {
      isClosed = true
    })
    more()
  })
  const failed = await exchangeHttp(url, plain).catch((error) => error)
  expect(failed).toBeInstanceOf(HttpFailure)
  expect(failed).toMatchObject({ kind: 'endless' })
  await expect.poll(() => isClosed).toBe(true)
})

it('a server that is silent fails, before the head of its answer and within it', async () => {
  const mute = await serve(() => {})
  const halfway = await serve((_, response) => {
    response.write('half')
  })
  for (const url of [mute, halfway]) {
    const failed = await exchangeHttp(url, { ...plain, timeoutMs: 50 }).catch((error) => error)
    expect(failed).toMatchObject({ kind: 'silent', message: 'no answer within 0.05 s' })
  }
})

it('errors of the connection keep their codes', async () => {
  const closed = createTcp().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  await once(closed, 'close')
  await expect(exchangeHttp(new URL(`http://127.0.0.1:${port}`), plain)).rejects.toMatchObject({
    code: 'ECONNREFUSED',
  })
  const broken = await serve((_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('half', () => response.destroy())
  })
  await expect(exchangeHttp(broken, plain)).rejects.toMatchObject({ code: 'ECONNRESET' })
  const failing = async function* () {
    yield Buffer.from('a')
    throw new Error('the file is gone')
  }
  const url = await serve((request) => void request.resume())
  await expect(openHttp(url, { ...plain, body: failing() })).rejects.toThrow('the file is gone')
})

it('sends nothing on a connection that its caller rejects, or after an abort', async () => {
  let asked = 0
  const url = await serve((_, response) => {
    asked++
    response.end()
  })
  const onSocket = (): never => {
    throw new Error('another connection')
  }
  await expect(exchangeHttp(url, { ...plain, onSocket })).rejects.toThrow('another connection')
  await expect(openHttp(url, { ...plain, signal: AbortSignal.abort() })).rejects.toMatchObject({
    name: 'AbortError',
  })
  expect(asked).toBe(0)
})
