import { afterAll, beforeAll, expect, it } from 'vitest'
import { PAGE_HEADER } from '../../../protocol/page.ts'
import { invite } from '../../support/auth/members.ts'
import { makeWorkspaces, type Server, startServer } from '../../support/server.ts'

let server: Server
beforeAll(async () => {
  server = await startServer()
  await makeWorkspaces(server.url, 'other')
})
afterAll(() => server.stop())

const post = (path: string, body: object, headers: Record<string, string> = {}) =>
  fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
const codeOf = async (answer: Response): Promise<string> =>
  ((await answer.json()) as { error?: { code: string } }).error?.code ?? 'ok'

it('[WEB-7] a browser gets a cookie that no script reads, and it counts for requests of the page only', async () => {
  const secret = await invite(server, { workspace: 'default', role: 'write', uses: 5 })
  const joined = await post('/api/session', { invite: secret })
  const cookie = joined.headers.get('set-cookie')!
  expect(cookie).toMatch(
    new RegExp(`^clawlink-${new URL(server.url).port}-default=clc_[\\w-]{43};`),
  )
  expect(cookie).toMatch(/; HttpOnly/)
  expect(cookie).toMatch(/; SameSite=Strict/)
  expect(await joined.text()).not.toContain('clc_')
  const kept = { cookie: cookie.split(';')[0]! }
  const ask = async (headers: Record<string, string>, path = '/api/session') =>
    codeOf(await fetch(`${server.url}${path}`, { headers }))
  const page = { ...kept, [PAGE_HEADER]: 'default' }
  expect(await ask(page)).toBe('ok')
  expect(await ask(kept)).toBe('unauthorized')
  expect(await ask({ ...kept, [PAGE_HEADER]: 'other' })).toBe('unauthorized')
  expect(await ask({ ...kept, [PAGE_HEADER]: '../x' })).toBe('bad_name')
  expect(await ask(page, '/api/workspaces/other/agents')).toBe('not_allowed')
  expect(await ask({ ...page, 'sec-fetch-site': 'same-site' })).toBe('not_allowed')
  expect(await ask({ ...page, origin: 'http://127.0.0.1:1' })).toBe('not_allowed')
  expect(await ask({ ...page, origin: server.url, 'sec-fetch-site': 'same-origin' })).toBe('ok')
  const end = await post('/api/session/end', {}, page)
  expect(end.headers.get('set-cookie')).toMatch(/^clawlink-\d+-default=; Max-Age=0/)
})

it('[WEB-1] a browser whose answer was lost asks again, and gets the same credential of a link for one', async () => {
  const secret = await invite(server, { workspace: 'default', role: 'write', uses: 1 })
  const attempt = 'a1'.repeat(32)
  const ask = async (body: object) => {
    const answer = await post('/api/session', { invite: secret, ...body })
    const cookie = answer.headers.get('set-cookie')?.split(';')[0]
    return { cookie, text: await answer.text(), status: answer.status }
  }
  const first = await ask({ attempt, name: 'Ann' })
  expect(first.status).toBe(200)
  expect(await ask({ attempt, name: 'Anna' })).toEqual(first)
  expect((await ask({ attempt: 'b2'.repeat(32) })).status).toBe(401)
  expect((await ask({})).status).toBe(401)
  expect((await ask({ attempt: 'short' })).status).toBe(400)
})

it('[WEB-7] a page of another site cannot join a browser', async () => {
  const secret = await invite(server, { workspace: 'default', role: 'write', uses: 5 })
  const answer = await post('/api/session', { invite: secret }, { origin: 'http://evil.test' })
  expect(await codeOf(answer)).toBe('not_allowed')
})

it('[WEB-8] browsers get the page, programs JSON; a policy lets only its own files run', async () => {
  const html = await fetch(server.url, { headers: { accept: 'text/html,*/*' } })
  expect(html.headers.get('content-type')).toBe('text/html; charset=utf-8')
  const policy = html.headers.get('content-security-policy')!
  expect(policy).not.toMatch(/unsafe|https?:|\*/)
  expect(policy).toMatch(/require-trusted-types-for 'script'/)
  const text = await html.text()
  expect(text).not.toMatch(/<script>|style=| on\w+=|https?:/)
  const files = [...text.matchAll(/(?:src|href)="(app\/[^"]+)"/g)].map(([, path]) => path!)
  expect(files.length).toBeGreaterThanOrEqual(3)
  for (const path of files) {
    const file = await fetch(`${server.url}/${path}`)
    expect(file.status).toBe(200)
    const etag = file.headers.get('etag')!
    const again = await fetch(`${server.url}/${path}`, { headers: { 'if-none-match': etag } })
    expect(again.status).toBe(304)
    for (const encoding of ['gzip', 'br', 'identity']) {
      const coded = await fetch(`${server.url}/${path}`, {
        headers: { 'accept-encoding': encoding },
      })
      expect(await coded.text()).toBe(await (await fetch(`${server.url}/${path}`)).text())
    }
  }
  expect(((await (await fetch(server.url)).json()) as { service: string }).service).toBe(
    'clawlink-sync',
  )
  for (const path of ['app/index.html', 'app/..%2fowner.json', 'app/none.js']) {
    expect((await fetch(`${server.url}/${path}`)).status, path).toBe(404)
  }
})
