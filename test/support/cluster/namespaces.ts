import { execFileSync } from 'node:child_process'
import { appendFileSync, chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomHex } from '../../../lib/random.ts'
import type { Postgres } from '../../../scripts/postgres/postgres.ts'
import { tempDir } from '../server.ts'
import { runSql } from '../sql.ts'

/** Nobody's hardware address: what is sent to it vanishes, and the sender hears nothing of that. */
const NOWHERE = '02:00:00:00:00:99'

const ip = (...args: string[]): void => void execFileSync('ip', args, { stdio: 'pipe' })

/** Network namespaces on one bridge, one per node; the test, the balancer and PostgreSQL are outside of them. */
export class Namespaces {
  readonly #name = `cl${randomHex(3)}`
  readonly #net = `10.${100 + Math.floor(Math.random() * 100)}.${Math.floor(Math.random() * 200)}`
  readonly #made: string[] = []

  /** The address of clients, and that of PostgreSQL. */
  get client(): string {
    return `${this.#net}.1`
  }
  get engine(): string {
    return `${this.#net}.2`
  }
  node(n: number): string {
    return `${this.#net}.${10 + n}`
  }

  /** True if this user and kernel have namespaces. */
  static get canBe(): boolean {
    const name = `cl${randomHex(3)}`
    try {
      ip('netns', 'add', name)
      ip('netns', 'del', name)
      return true
    } catch {
      return false
    }
  }

  open(count: number): void {
    ip('link', 'add', this.#name, 'type', 'bridge')
    for (const address of [this.client, this.engine])
      ip('addr', 'add', `${address}/24`, 'dev', this.#name)
    ip('link', 'set', this.#name, 'up')
    for (let n = 0; n < count; n++) {
      const name = `${this.#name}n${n}`
      ip('netns', 'add', name)
      this.#made.push(name)
      ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
      ip('link', 'set', name, 'master', this.#name, 'up')
      ip('-n', name, 'addr', 'add', `${this.node(n)}/24`, 'dev', 'eth0')
      for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up')
    }
  }

  /** Lets the nodes in. */
  async admit(postgres: Postgres): Promise<void> {
    appendFileSync(join(postgres.dir, 'data/pg_hba.conf'), `host all all ${this.#net}.0/24 trust\n`)
    await runSql(postgres.url, 'select pg_reload_conf()')
  }

  /** A program that runs Node.js in the namespace of a node. */
  runner(n: number): string {
    const path = join(tempDir('netns'), 'node')
    writeFileSync(
      path,
      `#!/bin/sh\nexec ip netns exec ${this.#name}n${n} ${process.execPath} "$@"\n`,
    )
    chmodSync(path, 0o755)
    return path
  }

  /** What node `n` sends to an address vanishes from now on. */
  block(n: number, address: string): void {
    ip(
      ...['-n', `${this.#name}n${n}`, 'neigh', 'replace', address],
      ...['lladdr', NOWHERE, 'dev', 'eth0', 'nud', 'permanent'],
    )
  }

  unblock(n: number, address: string): void {
    ip('-n', `${this.#name}n${n}`, 'neigh', 'del', address, 'dev', 'eth0')
  }

  close(): void {
    for (const name of this.#made) ip('netns', 'del', name)
    ip('link', 'del', this.#name)
  }
}
