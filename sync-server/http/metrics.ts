import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Metrics of the server, in Prometheus' text format at `/metrics`. */
export const createMetrics = (sample: () => { connections: number; rooms: number }) => {
  const registry = new Registry()
  const registers = [registry]
  new Gauge({
    name: 'clawlink_connections',
    help: 'Open WebSocket connections',
    registers,
    collect() {
      this.set(sample().connections)
    },
  })
  new Gauge({
    name: 'clawlink_rooms',
    help: 'Workspaces in memory',
    registers,
    collect() {
      this.set(sample().rooms)
    },
  })
  new Gauge({
    name: 'clawlink_resident_bytes',
    help: 'Resident memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
  return {
    registry,
    updates: new Counter({
      name: 'clawlink_updates_total',
      help: 'Yjs updates made durable',
      registers,
    }),
    bytes: new Counter({
      name: 'clawlink_update_bytes_total',
      help: 'Bytes of Yjs updates made durable',
      registers,
    }),
    commits: new Histogram({
      name: 'clawlink_commit_seconds',
      help: 'From the start of a durable write to its end',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5],
      registers,
    }),
    closes: new Counter({
      name: 'clawlink_closes_total',
      help: 'Connections that the server closed, by close code',
      labelNames: ['code'],
      registers,
    }),
    forgeries: new Counter({
      name: 'clawlink_forgeries_total',
      help: 'What was said in the name of another, and refused',
      registers,
    }),
    commands: new Counter({
      name: 'clawlink_task_commands_total',
      help: 'Task commands by outcome: ok, or the error code',
      labelNames: ['outcome'],
      registers,
    }),
  }
}

export type Metrics = ReturnType<typeof createMetrics>
