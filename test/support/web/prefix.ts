import { once } from 'node:events'
import { createServer, request } from 'node:http'
import { type AddressInfo, connect } from 'node:net'

/** A reverse proxy that has a server below a path, as a host with several services does. */
export const startPrefix = async (
  port: number,
  prefix: string,
): Promise<{ url: string; close: () => void }> => {
  const inner = (url: string | undefined): string | null =>
    url?.startsWith(`${prefix}/`) === true ? url.slice(prefix.length) : null
  const proxy = createServer((asked, answer) => {
    const path = inner(asked.url)
    if (path === null) return answer.writeHead(404).end()
    const { method, headers } = asked
    const forwarded = request({ host: '127.0.0.1', port, method, path, headers }, (got) => {
      answer.writeHead(got.statusCode!, got.headers)
      got.pipe(answer)
    })
    forwarded.on('error', () => answer.destroy())
    asked.pipe(forwarded)
  })
  proxy.on('upgrade', ({ url, headers }, near, head) => {
    const path = inner(url)
    if (path === null) return near.destroy()
    const far = connect(port, '127.0.0.1')
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    far.write(`GET ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`)
    far.write(head)
    for (const socket of [near, far]) socket.on('error', () => near.destroy())
    near.pipe(far).pipe(near)
    near.on('close', () => far.destroy())
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  const url = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}${prefix}`
  const close = (): void => {
    proxy.close()
    proxy.closeAllConnections()
  }
  return { url, close }
}
