import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { ask, type Member, member } from '../../support/auth/members.ts'
import { startHere } from '../../support/in-process.ts'
import { place, sync } from '../../support/ops/commands.ts'

const contributor = z.strictObject({ type: z.enum(['human', 'ai', 'mixed', 'unknown']) })
const line = z.number().int().min(1)
/** The schema of https://agent-trace.dev, version 0.1.0, as far as ClawLink uses it. */
const TraceRecord = z.strictObject({
  version: z.literal('0.1.0'),
  id: z.uuid(),
  timestamp: z.iso.datetime(),
  tool: z.strictObject({ name: z.string(), version: z.string() }),
  files: z.array(
    z.strictObject({
      path: z.string(),
      conversations: z.array(
        z.strictObject({
          url: z.url().optional(),
          contributor,
          ranges: z.array(
            z.strictObject({
              ...{ start_line: line, end_line: line, content_hash: z.string() },
              contributor: contributor.optional(),
            }),
          ),
          related: z.array(z.strictObject({ type: z.string(), url: z.url() })),
        }),
      ),
    }),
  ),
  metadata: z.record(z.string(), z.unknown()),
})

it('[BLAME-10] export writes an Agent Trace record of all texts', async () => {
  const server = await startHere()
  const [anna, pat] = [await member(server, 'anna'), await member(server, 'pat')]
  const post = async (who: Member, path: string, body: object) => {
    const { data, error } = await ask<{ task: { task_id: string } }>(
      ...([server, `/api/workspaces/default/${path}`, body, who.headers] as const),
    )
    expect(error).toBeUndefined()
    return data
  }
  await post(anna, 'register', { name: 'Anna' })
  await post(pat, 'register', { name: 'Pat', kind: 'person' })
  const { task } = await post(pat, 'tasks', { to: 'anna', task: 'write' })
  await post(anna, `tasks/${task.task_id}/claim`, {})
  await post(anna, 'files/append', { key: 'a/b.md', text: 'one\ntwo' })
  await post(pat, 'files/append', { key: 'a/b.md', text: 'three' })
  await post(pat, 'files/edit', { key: 'a/b.md', find: 'two', replace: 'two, at last' })
  const dir = place('exported')
  expect((await sync('export', dir, '--data', server.data)).code).toBe(0)
  await server.stop()
  const written = readFileSync(join(dir, 'default', 'agent-trace.json'), 'utf8')
  const { files, tool, metadata } = TraceRecord.parse(JSON.parse(written))
  expect([tool.name, metadata]).toEqual(['clawlink', { clawlink: { workspace: 'default' } }])
  const hash = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`
  const agent = (id: string) => [{ type: 'agent', url: `urn:clawlink:default:agent:${id}` }]
  expect(files).toEqual([
    {
      path: 'a/b.md',
      conversations: [
        {
          url: `urn:clawlink:default:task:${task.task_id}`,
          contributor: { type: 'ai' },
          ranges: [{ start_line: 1, end_line: 1, content_hash: hash('one') }],
          related: agent('anna'),
        },
        {
          contributor: { type: 'human' },
          ranges: [
            {
              ...{ start_line: 2, end_line: 2, content_hash: hash('two, at last') },
              contributor: { type: 'mixed' },
            },
            { start_line: 3, end_line: 3, content_hash: hash('three') },
          ],
          related: agent('pat'),
        },
      ],
    },
  ])
})
