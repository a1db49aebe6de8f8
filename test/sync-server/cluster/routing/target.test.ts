import { expect, it } from 'vitest'
import { hashOf } from '../../../../sync-server/auth/stored/secrets.ts'
import {
  type Target,
  targetOfBody,
  targetOfRequest,
  targetOfUpgrade,
} from '../../../../sync-server/cluster/routing/target.ts'

const token = `clh_${'t'.repeat(43)}`
const hash = hashOf(token)
const bearer = { authorization: `Bearer ${token}` }
const basic = { authorization: `Basic ${Buffer.from(`:${token}`).toString('base64')}` }
const of = (url: string, headers = {}, method = 'GET'): Target =>
  targetOfRequest({ method, url, headers })
const node: Target = { by: 'node' }
const workspace = (name: string): Target => ({ by: 'workspace', name })
const secret = (otherwise: string | null = null): Target => ({ by: 'secret', hash, otherwise })

it('[ROUTE-1] a path that names a workspace decides, however it is written', () => {
  for (const url of [
    '/api/workspaces/docs/tasks',
    '/api/workspaces/docs',
    '/api/workspaces/%64ocs/blobs/x?offset=1',
    '/w/docs/register',
    '/w/docs',
    '/w/docs/',
    'http://other.example/w/docs/poll/a',
  ]) {
    expect([url, of(url, bearer)]).toEqual([url, workspace('docs')])
  }
  for (const url of [
    '/api/workspaces/No/tasks',
    '/w/../register',
    '/w/%zz/',
    '/api/workspaces//x',
  ]) {
    expect([url, of(url).by]).not.toEqual([url, 'workspace', 'docs'])
  }
  expect(of('/api/workspaces/NO/tasks')).toEqual(node)
  const socket = (url: string) => targetOfUpgrade({ method: 'GET', url, headers: {} })
  expect(socket('/sync/docs?ticket=x')).toEqual(workspace('docs'))
  expect(socket('/w/docs/ws/a-1')).toEqual(workspace('docs'))
  expect(socket('/ws/a-1?token=y')).toEqual(workspace('default'))
  expect(socket('/elsewhere')).toEqual(node)
  expect(socket('/sync/NO')).toEqual(node)
})

it('[ROUTE-1] a path that names none goes by the secret, in each of the places where it may be', () => {
  for (const path of ['/register', '/poll/a', '/files/a/b', '/nothing']) {
    expect(of(path, bearer)).toEqual(secret('default'))
    expect(of(path, basic)).toEqual(secret('default'))
    expect(of(`${path}?token=${token}`)).toEqual(secret('default'))
    expect(of(path)).toEqual(workspace('default'))
    expect(of(`${path}?token=rubbish`)).toEqual(workspace('default'))
  }
  expect(of('/api/ticket', bearer, 'POST')).toEqual(secret())
  expect(of('/api/ticket', {}, 'POST')).toEqual(node)
  expect(of('/', bearer)).toEqual(secret())
  expect(of('/health', bearer)).toEqual(secret())
  const id = hash.slice(0, 16)
  expect(of(`/api/prove?id=${id}&nonce=n`)).toEqual({ by: 'secret', hash: id, otherwise: null })
  expect(of('/api/prove?nonce=n')).toEqual(node)
  expect(of('/api/prove?id=*&nonce=n')).toEqual(node)
})

it('[ROUTE-1] each node answers for itself', () => {
  for (const path of ['/', '/health', '/metrics', '/api/openapi.json', '/api/admin/backup']) {
    expect(of(path)).toEqual(node)
  }
  expect(of('/metrics', bearer)).toEqual(node)
})

it('[ROUTE-1] a request of the web page goes by the workspace that it names, and any node has the files of the page', () => {
  const page = { 'x-clawlink-page': 'docs' }
  for (const [url, method] of [
    ['/api/ticket', 'POST'],
    ['/api/session', 'GET'],
    ['/api/session/end', 'POST'],
    ['/api/admin/agents', 'GET'],
  ] as const) {
    expect(of(url, page, method)).toEqual({ by: 'workspace', name: 'docs' })
    expect(of(url, { 'x-clawlink-page': '../x' }, method)).toEqual(node)
  }
  expect(of('/api/session', page, 'POST')).toEqual({ by: 'body' })
  const asked = { method: 'POST', url: '/api/session', headers: page }
  expect(targetOfBody(asked, { invite: token, workspace: 'docs' })).toEqual(secret('docs'))
  const revoking = { ...asked, url: '/api/admin/revoke' }
  expect(targetOfBody(revoking, { which: 'a' })).toEqual({ by: 'workspace', name: 'docs' })
  for (const url of ['/app/main.js', '/sw.js']) expect(of(url)).toEqual(node)
})

it('[ROUTE-1] a join goes by its invite, an action of an admin by the credential, then by what the body names', () => {
  const body = (url: string, json: unknown, headers = {}) =>
    targetOfBody({ method: 'POST', url, headers }, json)
  expect(of('/api/join', {}, 'POST')).toEqual({ by: 'body' })
  expect(of('/api/admin/revoke', bearer, 'POST')).toEqual({ by: 'body' })
  expect(of('/api/admin/agents?workspace=docs', bearer)).toEqual(secret('docs'))
  expect(of('/api/admin/agents', bearer)).toEqual(secret())
  expect(of('/api/admin/agents?workspace=docs')).toEqual(node)
  expect(body('/api/join', { invite: token })).toEqual(secret('default'))
  expect(body('/api/join', { invite: token, workspace: 'docs' })).toEqual(secret('docs'))
  expect(body('/api/join', { workspace: 'docs' })).toEqual(node)
  expect(body('/api/admin/add', { workspace: 'docs' }, bearer)).toEqual(secret('docs'))
  expect(body('/api/admin/invite', {}, bearer)).toEqual(secret('default'))
  expect(body('/api/admin/revoke', { which: 'a' }, bearer)).toEqual(secret())
  for (const json of [undefined, null, 1, 'x', [], { invite: 1, workspace: {} }]) {
    expect(body('/api/join', json)).toEqual(node)
  }
})
