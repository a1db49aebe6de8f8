import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { parse } from 'yaml'
import { findPostgres } from '../../../scripts/postgres/postgres.ts'
import { SERVER_FLAGS } from '../../../sync-server/config/flags.ts'
import { until } from '../../support/client.ts'
import { onPostgres } from '../../support/postgres.ts'
import { ownPort, root, tempDir } from '../../support/server.ts'
import { runSql } from '../../support/sql.ts'

const text = (name: string): string => readFileSync(join(root, 'docs/deploy', name), 'utf8')
const has = (program: string): boolean => spawnSync(program, ['--version']).status !== null

it('[OPS-26] every setting in the examples is one of the server', () => {
  const known = Object.values(SERVER_FLAGS).flatMap((flag) => ('env' in flag ? [flag.env] : []))
  for (const name of ['compose.yaml', 'clawlink-node.service']) {
    const named = new Set(text(name).match(/CLAWLINK_[A-Z_]+/g))
    expect([...named].filter((one) => !known.includes(one as never))).toEqual([])
    expect(named).toContain('CLAWLINK_NODE_URL')
  }
})

it('[OPS-26] the compose file has two nodes, PostgreSQL with a standby that counts, and a balancer', () => {
  const { services, volumes } = parse(text('compose.yaml'), { merge: true })
  expect(Object.keys(services).sort()).toEqual([
    'balancer',
    'node1',
    'node2',
    'postgres',
    'standby',
  ])
  for (const [name, service] of Object.entries<Record<string, unknown>>(services)) {
    expect(service.image, name).toBeDefined()
    for (const mount of (service.volumes ?? []) as string[]) {
      const [from = ''] = mount.split(':')
      if (from.startsWith('./')) expect(text(from.slice(2)).length).toBeGreaterThan(0)
      else expect(volumes).toHaveProperty(from)
    }
  }
  for (const name of ['node1', 'node2']) {
    expect(services[name].environment.CLAWLINK_NODE_URL).toBe(`http://${name}:9077`)
    expect(services[name].environment.CLAWLINK_STORE).toMatch(/^postgres:/)
  }
  expect(text('postgres/primary.sh')).toContain("synchronous_standby_names = 'standby1'")
  expect(text('postgres/standby.sh')).toContain('application_name=standby1')
})

it.skipIf(!has('nginx'))('[OPS-26] nginx accepts the balancer’s configuration', async () => {
  const dir = tempDir('nginx')
  mkdirSync(join(dir, 'logs'))
  const config = text('nginx.conf').replace(/node[12]:9077/g, '127.0.0.1:9077')
  const own = config.replace('listen 80', `listen 127.0.0.1:${await ownPort()}`)
  writeFileSync(join(dir, 'nginx.conf'), `pid ${dir}/pid;\n${own}`)
  const { status, stderr } = spawnSync('nginx', ['-t', '-c', join(dir, 'nginx.conf'), '-p', dir], {
    encoding: 'utf8',
  })
  expect([status, stderr]).toEqual([0, expect.stringContaining('syntax is ok')])
})

it.skipIf(!has('haproxy'))('[OPS-26] HAProxy accepts the balancer’s configuration', () => {
  const file = join(tempDir('haproxy'), 'haproxy.cfg')
  writeFileSync(file, text('haproxy.cfg').replace(/node[12]:9077/g, '127.0.0.1:9077'))
  const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' })
  expect([status, stderr.replace(/^\[NOTICE\].*\n/gm, '')]).toEqual([0, ''])
})

it.skipIf(!has('systemd-analyze'))('[OPS-26] systemd accepts the unit', () => {
  const unit = join(root, 'docs/deploy/clawlink-node.service')
  const { stdout, stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
  const about = `${stdout}${stderr}`.split('\n').filter((line) => line.includes('clawlink-node'))
  expect(about).toEqual([])
})

onPostgres('the scripts of the compose file', (postgres) => {
  it('[OPS-26] they make a primary that waits for its standby, and the standby', async () => {
    const { bin } = findPostgres()
    const { port, dir, url } = postgres()
    const isRoot = process.getuid?.() === 0
    const ids = isRoot ? idsOf('postgres') : {}
    const env = {
      ...process.env,
      PATH: `${bin}:${process.env.PATH}`,
      REPLICATION_PASSWORD: 's3cret',
    }
    execFileSync('bash', [join(root, 'docs/deploy/postgres/primary.sh')], {
      env: {
        ...{ ...env, PGHOST: '127.0.0.1', PGPORT: String(port), PGDATA: join(dir, 'data') },
        ...{ POSTGRES_USER: 'clawlink', POSTGRES_DB: 'postgres' },
      },
    })
    await runSql(url, 'select pg_reload_conf()')
    expect(readFileSync(join(dir, 'data/pg_hba.conf'), 'utf8')).toContain('replicator')
    const home = mkdtempSync(join(tmpdir(), 'clawlink-pg-standby-'))
    if (isRoot) execFileSync('chown', ['postgres', home])
    const own = await ownPort()
    const script = join(home, 'standby.sh')
    writeFileSync(script, text('postgres/standby.sh'))
    const standby = spawn(
      'bash',
      [script, '-p', String(own), '-k', '', '-c', 'max_connections=200'],
      {
        ...{ ...ids, cwd: home, stdio: ['ignore', 'ignore', 'pipe'] as const },
        env: {
          ...{ ...env, PGDATA: join(home, 'data'), PRIMARY: '127.0.0.1' },
          ...{ PRIMARY_PORT: String(port), PGPASSWORD: 's3cret' },
        },
      },
    )
    let said = ''
    standby.stderr!.on('data', (chunk) => {
      said = (said + chunk).slice(-2_000)
    })
    const state = async () =>
      await runSql<{ name: string; state: string }>(
        url,
        'select application_name as name, sync_state as state from pg_stat_replication',
      )
    await until(
      'it counts',
      async () => (await state()).some(({ state: is }) => is === 'sync'),
      60_000,
    ).catch((error) => {
      throw new Error(`${error.message}: ${said}`)
    })
    expect(await state()).toContainEqual({ name: 'standby1', state: 'sync' })
    await runSql(url, 'create table waits (a int)')
    standby.kill('SIGQUIT')
    await runSql(url, "alter system set synchronous_standby_names = ''")
    await runSql(url, 'select pg_reload_conf()')
    execFileSync('rm', ['-rf', home])
  })
})

const idsOf = (user: string): { uid: number; gid: number } => {
  const id = (flag: string) => Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
  return { uid: id('-u'), gid: id('-g') }
}
