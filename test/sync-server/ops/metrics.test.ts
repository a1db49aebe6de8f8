import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { agent } from '../../support/agent.ts'
import { sync } from '../../support/ops/commands.ts'
import { fetch, root, startServer, tempDir } from '../../support/server.ts'

it('[ADMIN-7] /metrics has agents, tasks, requests, disk and the last backup; OPERATIONS.md names each', async () => {
  const server = await startServer()
  const ann = agent(server.url)
  await ann.ask('register', 'Ann')
  await ann.ask('delegate', 'Ann', 'look')
  await sync('backup', join(tempDir('backup'), 'one'), '--data', server.data)
  const metrics = await (await fetch(`${server.url}/metrics`)).text()
  for (const line of [
    /^clawlink_agents_online 1$/m,
    /^clawlink_agents_joined 1$/m,
    /^clawlink_workspaces 1$/m,
    /^clawlink_tasks_open 1$/m,
    /^clawlink_connections 1$/m,
    /^clawlink_rooms 1$/m,
    /^clawlink_up 1$/m,
    /^clawlink_data_bytes [1-9]\d+$/m,
    /^clawlink_disk_free_bytes [1-9]\d+/m,
    /^clawlink_last_backup_timestamp_seconds 1\d{9}/m,
    /^clawlink_http_requests_total\{status="200"\} [1-9]/m,
  ]) {
    expect(metrics).toMatch(line)
  }
  const names = new Set([...metrics.matchAll(/^# TYPE (clawlink_\w+)/gm)].map(([, name]) => name!))
  const page = readFileSync(join(root, 'docs/OPERATIONS.md'), 'utf8')
  for (const name of names) expect(page, name).toContain(`\`${name}`)
  // Alert rules name metrics that there are.
  const rules = /```yaml\n# alert rules[\s\S]*?```/.exec(page)![0]
  const used = [...rules.matchAll(/\b(clawlink_[a-z_]+?)(?:_bucket)?\b(?=[{[\s)])/g)]
  expect(used.length).toBeGreaterThan(6)
  for (const [, name] of used) expect(names, name).toContain(name)
  await server.stop()
})
