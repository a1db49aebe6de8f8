import {
  type Postgres,
  type Standby,
  startPostgres,
  startStandby,
} from '../../../scripts/postgres/postgres.ts'
import { until } from '../client.ts'
import { ownPort, type Server, setToken, startServer, tempDir } from '../server.ts'
import { runSql } from '../sql.ts'
import { type Balancer, startBalancer, startWay, type Way } from './balancer.ts'
import { Namespaces } from './namespaces.ts'

/** The name of the standby, as `synchronous_standby_names` has it. */
const STANDBY = 'standby1'

/** A node of its own process. */
export interface ClusterNode {
  port: number
  data: string
  /** Its way to PostgreSQL. */
  engine: Way
  /** Its number, from 0. */
  n: number
  server: Server | null
}

export interface ClusterOptions {
  bin: string
  nodes: number
  /** `none`: PostgreSQL has no standby. */
  standby: 'none' | 'synchronous' | 'asynchronous'
  args?: readonly string[]
  /** Each node is in a network namespace of its own. */
  isApart?: boolean
}

/** A cluster of real processes behind a balancer: nodes, PostgreSQL, and a standby if it has one. */
export class Cluster {
  readonly nodes: ClusterNode[] = []
  readonly postgres: Postgres
  readonly standby: Standby | null
  balancer!: Balancer
  /** null: all are on loopback. */
  net: Namespaces | null = null
  readonly #args: readonly string[]

  private constructor(postgres: Postgres, standby: Standby | null, args: readonly string[]) {
    this.postgres = postgres
    this.standby = standby
    this.#args = args
  }

  static async start(options: ClusterOptions): Promise<Cluster> {
    const { bin, nodes, standby, args = [], isApart = false } = options
    const net = isApart ? new Namespaces() : null
    net?.open(nodes)
    const listening = net === null ? {} : { listen_addresses: `127.0.0.1,${net.engine}` }
    const postgres = await startPostgres(bin, { max_connections: 100, ...listening })
    const second = standby === 'none' ? null : await startStandby(bin, postgres, STANDBY)
    const cluster = new Cluster(postgres, second, args)
    if (standby === 'synchronous') {
      await runSql(postgres.url, `alter system set synchronous_standby_names = '${STANDBY}'`)
      await runSql(postgres.url, 'select pg_reload_conf()')
      const text = 'select sync_state as state from pg_stat_replication'
      await until('the standby counts', async () =>
        (await runSql<{ state: string }>(postgres.url, text)).some(({ state }) => state === 'sync'),
      )
    }
    cluster.net = net
    await net?.admit(postgres)
    for (let n = 0; n < nodes; n++) {
      const engine = await startWay(postgres.port)
      const node = { port: await ownPort(), data: tempDir(`node${n}`), engine, n, server: null }
      cluster.nodes.push(node)
      await cluster.startNode(node)
    }
    cluster.balancer = await startBalancer(cluster.nodes.map(({ port }) => port))
    for (const { port, n } of cluster.nodes) cluster.balancer.hosts.set(port, cluster.hostOf(n))
    setToken(cluster.balancer.port, cluster.nodes[0]!.server!.token)
    return cluster
  }

  hostOf(n: number): string {
    return this.net?.node(n) ?? '127.0.0.1'
  }

  async startNode(node: ClusterNode): Promise<void> {
    const { port, data, engine, n } = node
    const { net } = this
    const database =
      net === null ? `127.0.0.1:${engine.port}` : `${net.engine}:${this.postgres.port}`
    const at = ['--store', `postgres://clawlink@${database}/postgres`]
    const args = [...at, '--node-url', `http://${this.hostOf(n)}:${port}`, ...this.#args]
    const apart = net === null ? {} : { node: net.runner(n) }
    if (net !== null) args.push('--host', '0.0.0.0', '--no-mdns')
    node.server = await startServer({ data, port, args, ...apart })
  }

  async killNode(node: ClusterNode): Promise<void> {
    await node.server!.kill()
    node.server = null
  }

  /** PostgreSQL fails over: the primary dies, and the standby takes its place. */
  async failOver(): Promise<void> {
    await this.postgres.kill()
    await this.standby!.promote()
    for (const { engine } of this.nodes) {
      engine.target = this.standby!.port
      engine.cut()
    }
  }

  /**
   * Ends the nodes, and starts a single server on the database, which has none of their files: it shows what is stored,
   * and no more.
   */
  async readBack(): Promise<Server> {
    await this.#endNodes()
    const { port } = this.nodes[0]!.engine
    const store = `postgres://clawlink@127.0.0.1:${port}/postgres`
    return startServer({ args: ['--store', store, ...this.#args] })
  }

  async #endNodes(): Promise<void> {
    for (const node of this.nodes) {
      node.server?.process.kill('SIGCONT')
      await node.server?.kill()
      node.server = null
    }
  }

  async stop(): Promise<void> {
    this.balancer.close()
    await this.#endNodes()
    for (const { engine } of this.nodes) engine.close()
    await this.standby?.stop()
    await this.postgres.stop()
    this.net?.close()
  }
}
