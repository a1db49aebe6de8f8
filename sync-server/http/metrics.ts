import { Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Figures that are read when somebody asks for them. */
export interface Figures {
  connections: number
  rooms: number
  workspaces: number
  /** Agents that are here now, and those that have joined and were not revoked. */
  agentsOnline: number
  agentsJoined: number
  /** Tasks that have not ended, of the workspaces in memory. */
  openTasks: number
  /** Bytes that wait for peers. */
  heldBytes: number
  /** Bytes of the data folder; free bytes of its disk, NaN if unknown. */
  dataBytes: number
  freeBytes: number
  /** Time of the last backup, seconds since the epoch; 0: none is known. */
  lastBackup: number
  /** 1: well; 0: it must be looked at now. */
  isWell: number
}

/** The gauges, by figure: name and help. */
const GAUGES: Readonly<Record<keyof Figures, readonly [name: string, help: string]>> = {
  connections: ['clawlink_connections', 'Open WebSocket connections'],
  rooms: ['clawlink_rooms', 'Workspaces in memory'],
  workspaces: ['clawlink_workspaces', 'Workspaces, removed ones not counted'],
  agentsOnline: ['clawlink_agents_online', 'Agents that are here now'],
  agentsJoined: ['clawlink_agents_joined', 'Agents that have joined and were not revoked'],
  openTasks: ['clawlink_tasks_open', 'Tasks that have not ended, of workspaces in memory'],
  heldBytes: ['clawlink_held_bytes', 'Bytes that wait for peers'],
  dataBytes: ['clawlink_data_bytes', 'Bytes of the database in the data folder'],
  freeBytes: ['clawlink_disk_free_bytes', 'Free bytes of the disk of the data folder'],
  lastBackup: ['clawlink_last_backup_timestamp_seconds', 'Time of the last backup; 0: none known'],
  isWell: ['clawlink_up', '1: it serves, perhaps without single workspaces; 0: /health is 503'],
}

/** Adds the gauges. Their figures are read once per request of the metrics. */
const addGauges = (registers: Registry[], read: () => Promise<Figures>): void => {
  let reading: Promise<Figures> | null = null
  const figures = (): Promise<Figures> => {
    reading ??= read().finally(() => {
      reading = null
    })
    return reading
  }
  for (const [figure, [name, help]] of Object.entries(GAUGES)) {
    new Gauge({
      ...{ name, help, registers },
      async collect() {
        this.set((await figures())[figure as keyof Figures])
      },
    })
  }
  new Gauge({
    name: 'clawlink_resident_bytes',
    help: 'Resident memory of the process',
    registers,
    collect() {
      this.set(process.memoryUsage.rss())
    },
  })
}

/** Metrics of the server, in Prometheus' text format at `/metrics`. `read` is called once per request of them. */
export const createMetrics = (read: () => Promise<Figures>) => {
  const registry = new Registry()
  const registers = [registry]
  addGauges(registers, read)
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
    requests: new Counter({
      name: 'clawlink_http_requests_total',
      help: 'Answered HTTP requests by status',
      labelNames: ['status'],
      registers,
    }),
    refusals: new Counter({
      name: 'clawlink_refusals_total',
      help: 'HTTP requests and WebSockets that were refused, by error code',
      labelNames: ['code'],
      registers,
    }),
    signInFailures: new Counter({
      name: 'clawlink_sign_in_failures_total',
      help: 'Credentials and invites that were not accepted, by reason; locked: the address had to wait',
      labelNames: ['reason'],
      registers,
    }),
    lockouts: new Counter({
      name: 'clawlink_lockouts_total',
      help: 'Times that an address was made to wait for failed sign-ins',
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
