import { expect, it } from 'vitest'
import { ask, bearer, invite, member } from '../../support/auth/members.ts'
import { until } from '../../support/client.ts'
import { syncJson } from '../../support/ops/commands.ts'
import { fetch, startServer } from '../../support/server.ts'

interface Entry {
  what: string
  by: string
  note: string
}

it('[ADMIN-6] W12: the audit log and the log have joins, failed sign-ins, lockouts and revocations', async () => {
  const server = await startServer({ args: ['--log-level', 'info', '--limit', 'failures=4'] })
  const data = ['--data', server.data]
  const entries = async () =>
    (await syncJson<{ entries: Entry[] }>('audit', ...data)).entries.filter(
      ({ what }) => what !== 'invited',
    )
  const ann = await member(server, 'a-ann')
  const join = (secret: string) =>
    ask(server, '/api/join', { invite: secret, agent_id: 'a-bob' }, { authorization: '' })
  const used = await invite(server, { workspace: 'default', role: 'write' })
  await ask(server, '/api/join', { invite: used, agent_id: 'a-carl' }, { authorization: '' })
  await join(used)
  await join(`cli_${'x'.repeat(43)}`)
  await ask(server, '/api/admin/revoke', { which: 'a-ann' })
  await ask(server, '/api/workspaces/default/agents', undefined, ann.headers)
  const wrong = bearer(`clc_${'y'.repeat(43)}`)
  for (let i = 0; i < 6; i++) {
    await ask(server, '/api/workspaces/default/agents', undefined, wrong)
  }
  await until('it is noted', async () => (await entries()).some(({ what }) => what === 'locked'))
  const found = (await entries()).map(({ what, by, note }) => `${what} ${by} ${note}`)
  for (const line of [
    /^joined a-ann write by invite i-/,
    /^rejected 127\.0\.0\.1 the invite was used already$/,
    /^rejected 127\.0\.0\.1 the invite is not known here$/,
    /^revoked the owner a-ann$/,
    /^rejected 127\.0\.0\.1 the credential of a-ann in default was revoked$/,
    /^rejected 127\.0\.0\.1 this server does not know that credential$/,
    /^locked 127\.0\.0\.1 too many failed sign-ins from 127\.0\.0\.1$/,
  ]) {
    expect(found).toContainEqual(expect.stringMatching(line))
  }
  // A flood is cut to one entry per reason in 10 s.
  expect(found.filter((line) => line.includes('does not know that credential'))).toHaveLength(1)
  for (const word of ['"msg":"joined"', '"msg":"sign-in failed"', '"msg":"revoked"', 'locked out'])
    expect(server.log()).toContain(word)
  expect(server.log()).not.toMatch(/cl[ic]_[\w-]{20}/)

  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  for (const line of [
    /^clawlink_sign_in_failures_total\{reason="unauthorized"\} [3-9]/m,
    /^clawlink_sign_in_failures_total\{reason="revoked"\} 1$/m,
    /^clawlink_lockouts_total 1$/m,
    /^clawlink_http_requests_total\{status="401"\} \d+/m,
    /^clawlink_refusals_total\{code="too_many"\} \d+/m,
  ]) {
    expect(metrics).toMatch(line)
  }
  await server.stop()
})
