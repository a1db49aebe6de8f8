import { once } from 'node:events'
import type { Server as HttpServer, IncomingMessage } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import { createAdaptorServer } from '@hono/node-server'
import type { Logger } from 'pino'
import { type RawData, type WebSocket, WebSocketServer } from 'ws'
import { ClawError } from '../protocol/errors.ts'
import { CLOSE } from '../protocol/frames.ts'
import { initWorkspace, serverClientOf } from '../workspace/document/schema.ts'
import { createApp } from './app.ts'
import { identityIn } from './auth/identity.ts'
import { followNames, leaveRevoked } from './auth/names.ts'
import { inviteSameUser, ownerOf, saveOwner } from './auth/owner.ts'
import { Authors } from './auth/ownership/authors.ts'
import { makePrivate } from './auth/ownership/private.ts'
import { newSecret } from './auth/secrets.ts'
import { AccessStore } from './auth/store.ts'
import { CLOSE_MS, REVOKED_MS, STOP_MS, UNASKED_LOOK_MS } from './config/limits.ts'
import { isAnywhere, isLoopback, type Options } from './config/options.ts'
import { followTls, readTls } from './config/tls.ts'
import { urlsOf } from './config/urls.ts'
import { createSweep } from './history/sweep.ts'
import { createTrimmer } from './history/trim.ts'
import { FileHistory } from './history/versions/history.ts'
import { createMetrics } from './http/metrics.ts'
import { ready } from './http/request.ts'
import { registered } from './http-agents/context.ts'
import { HttpAgents } from './http-agents/http-agents.ts'
import { GuestSockets } from './http-agents/socket.ts'
import { drain } from './limits/body.ts'
import { FrameReader } from './limits/frame-reader.ts'
import { Limiter } from './limits/limiter.ts'
import { Requests } from './limits/requests.ts'
import { writeBackup } from './ops/backup.ts'
import { checkAgentId, NEXT_REQUEST } from './routes/agent-request.ts'
import type { AppEnv } from './routes/env.ts'
import { takeSteps } from './stopping.ts'
import { BlobStore } from './storage/blobs.ts'
import { Fault } from './storage/faults.ts'
import { Corruption, causeOf } from './storage/integrity/corruption.ts'
import { openLog } from './storage/open-log.ts'
import { Recovery } from './storage/recovery.ts'
import {
  DAMAGED_HINT,
  isStoreFailure,
  REPAIR_HINT,
  requestError,
  storeError,
} from './storage/store-error.ts'
import { Connection } from './sync/connection.ts'
import { agentOf, type Caller, nameOf, type Principal, workspaceOf } from './sync/principal.ts'
import type { RoomEnv } from './sync/room.ts'
import { Rooms } from './sync/rooms.ts'
import { TaskScheduler } from './tasks/scheduler.ts'
import { noteSeen } from './tasks/seen.ts'
import { TextWork } from './texts/work.ts'
import { askedFor, hasTried, refuseUpgrade } from './upgrade.ts'

export interface SyncServer {
  port: number
  /**
   * Stops accepting, flushes, answers barriers, closes every connection and the store: within 10 s, whatever hangs. Rejects
   * with Unstopped where something that was received could not be stored.
   */
  close: () => Promise<void>
}

/** Starts a server. Throws `data_locked`, `data_unusable`, `data_damaged`, `data_newer`, `port_taken`, `usage`. */
export const startSyncServer = async (
  options: Options,
  version: string,
  log: Logger,
): Promise<SyncServer> => {
  const now = Date.now
  const startedAt = now()
  /** Why nothing can be stored; null: it can. */
  let failure: string | null = null
  /** Corruption of single workspaces, which the others do not suffer from. */
  const damage = new Set<string>()
  await makePrivate(options.data)
  const updateLog = await openLog(options.data, now)
  const access = await AccessStore.open(updateLog, now, options.limits)
  access.onNoted = ({ at: _, what, ...entry }) => log.info(entry, what)
  const owner = await ownerOf(options.data)
  const identity = await identityIn(options.data)
  const sameUser = newSecret('invite')
  access.authenticator.trust(owner.token, sameUser)
  const blobs = new BlobStore(join(options.data, 'blobs'), now)
  const connections = new Set<Connection>()
  const metrics = createMetrics(() => ({ connections: connections.size, rooms: rooms.size }))

  const trim = createTrimmer(updateLog, now, (err) => log.warn({ err }, 'broadcasts not trimmed'))
  const texts = new TextWork()
  const history = new FileHistory({
    log: updateLog.versions,
    now,
    delta: async (from, to) => (await texts.run('delta', [from, to])).found,
    onError: (err) => log.error({ err }, 'versions not stored'),
  })
  const { leaseMs, offerMs, archiveAfterMs } = options
  const tasks = new TaskScheduler({
    ...{ log: updateLog, now, leaseMs, offerMs, archiveAfterMs },
    onError: (err) => log.error({ err }, 'tasks not settled'),
  })
  const guests = new HttpAgents(updateLog, now, (by, ms) => limiter.worked(by, ms))
  const guestSockets = new GuestSockets()
  const roomEnv: Omit<RoomEnv, 'onIdle'> = {
    log: updateLog,
    maxAwareness: options.limits['awareness-bytes'],
    maxDocument: options.limits.document,
    slowReaderMs: options.limits['slow-reader-seconds'] * 1_000,
    now,
    gate: () => {
      const { 'client-ids': ids, document } = options.limits
      return new Authors(() => access.isRecovering, ids, document)
    },
    prepare: (doc, name) => initWorkspace(doc, name, now()),
    serverClient: serverClientOf,
    keeps: (room) => tasks.keeps(room) || guests.keeps(room),
    onDocument: (room, doc) => {
      followNames(doc, room.name, access)
      leaveRevoked(room, doc, access)
      history.follow(room, doc)
      tasks.follow(room, doc)
    },
    onAwareness: (room, before, after) => {
      tasks.seen(room, before, after)
      noteSeen(room, before, after, now()).catch((err) => {
        if (causeOf(err, Fault) === null) log.error({ err }, 'last seen not noted')
      })
    },
    onFailure: (room, err) => {
      const found = causeOf(err, Corruption)
      if (found !== null) {
        damage.add(found.message)
        log.fatal({ err, hint: DAMAGED_HINT }, 'a workspace is damaged; it is not served')
      } else if (updateLog.failed || isStoreFailure(err)) fail(err)
      else {
        const workspace = room.name
        log.error({ err, workspace, hint: REPAIR_HINT }, 'a workspace has failed; it is not served')
        rooms.fault(room, err)
      }
    },
    onCommit: (room, updates, bytes, ms) => {
      trim(room)
      // A version is of a file as somebody left it.
      if (!room.isPartial) history.committed(room)
      tasks.committed(room)
      guests.committed(room)
      metrics.updates.inc(updates)
      metrics.bytes.inc(bytes)
      metrics.commits.observe(ms / 1000)
    },
    onForgery: (room, by, what) => onForgery(by, room.name, what),
    onClose: (code, reason, by, bytes) => onClose(code, reason, by, bytes),
  }
  const onClose = (code: number, reason: string, by: Principal, bytes = 0): void => {
    metrics.closes.inc({ code })
    log.warn({ code, reason, by: nameOf(by) }, 'closing a connection')
    const isOffence = code !== CLOSE.slowReader && code !== CLOSE.full
    if (isOffence) limiter.offended(by, bytes)
  }
  access.onEnded = (agent, workspace, isRevoked) => {
    if (isRevoked) forgetRevoked(workspace)
    guestSockets.of(agent, workspace)?.close(CLOSE.unauthorized, 'the credential was revoked')
    // Those who wait are answered (401); an upload, or an answer that is not taken, ends a moment later.
    guests.ended(agent, workspace)
    const open = limiter.holdsOf(agent, workspace)
    setTimeout(() => open.map((hold) => hold.isClosed || hold.cut()), REVOKED_MS).unref()
    for (const connection of connections) {
      const { speaker } = connection
      if (speaker.kind !== 'agent' || speaker.agent !== agent) continue
      if (speaker.workspace !== workspace) continue
      connection.close(CLOSE.unauthorized, 'the credential was revoked')
      // Nothing of it is taken from now on, and nothing it does can hold the rest of the connection up.
      setTimeout(() => connection.ws.terminate(), REVOKED_MS).unref()
    }
  }
  /** Frees names; in a workspace that is not in memory that is done when it is loaded. */
  const forgetRevoked = (workspace: string): void => {
    if (!rooms.has(workspace) || failure !== null) return
    const room = rooms.open(workspace)
    room.loaded.then(() => leaveRevoked(room, room.doc, access)).catch(() => {}) // the room says so
  }
  const onForgery = (by: Caller, workspace: string, what: string): void => {
    log.warn({ by: nameOf(by), workspace, what }, 'refused: in another name')
    metrics.forgeries.inc()
    access.refused(by, workspace, what)
  }
  const rooms: Rooms = new Rooms(roomEnv, (room) => {
    tasks.forget(room)
    guests.forget(room)
  })
  /** Throws `too_many` where one more in memory is one too many; `unknown_workspace`; Fault where it is not to be tried yet. */
  const bounded = (name: string): void => {
    if (rooms.has(name)) return
    access.workspaces.check(name)
    rooms.faults.check(name)
    const { rooms: most } = options.limits
    if (rooms.size < most) return
    const what = `there are ${most} workspaces in use, the most there may be`
    throw new ClawError('too_many', what, 'see --limit')
  }
  const fail = (err: Error): void => {
    if (failure !== null) return
    failure = `the store failed: ${reasonOf(err)}`
    log.fatal({ err }, 'the store failed; nothing is taken until it works again')
    // What is in memory may be ahead of the disk.
    rooms.drop(err)
    recovery.begin()
  }
  updateLog.onFailed = fail
  /** What is on disk, to be looked at while nothing can be stored. Nothing that happens to a workspace happens here. */
  const readers = new Rooms(
    {
      ...roomEnv,
      onDocument: () => {},
      onAwareness: () => {},
      onFailure: (_room, err) => log.error({ err }, 'a workspace cannot be read'),
      onCommit: () => {},
      keeps: () => false,
    },
    () => {},
  )
  const recovery = new Recovery({
    data: options.data,
    recover: async () => {
      await updateLog.recover()
      await access.reload()
      if (updateLog.failed) throw new Error('the store failed again')
    },
    onRecovered: () => {
      readers.drop(new Error('the store works again'))
      failure = null
      log.info('the store works again')
    },
    onError: (err) => log.error({ err }, 'the store does not work yet'),
  })
  const sweeper = createSweep(rooms, blobs, now, (err, workspace) => {
    if (failure === null) log.warn({ err, workspace }, 'what is old was not cleared')
  })

  const { tls } = options
  const limiter = new Limiter(options.limits, options.isProxy, now)
  /** Counts a failed sign-in, and logs it: those that come while their address has to wait are not worth a line each. */
  const failedBy = (request: IncomingMessage, why: ClawError): ClawError | null => {
    const wait = limiter.failed(request, why)
    const { remoteAddress: address } = request.socket
    if (wait === null) log.info({ address, why: why.message }, 'sign-in failed')
    return wait
  }

  const env: AppEnv = {
    version,
    identity,
    onWrongCredential: (c, why) => failedBy((c.env as { incoming: IncomingMessage }).incoming, why),
    onAsked: (by, hold) => limiter.request(by, hold),
    mayWork: (by) => limiter.mayWork(by),
    holdOf: (request) => requests.of(request),
    slowReaderMs: roomEnv.slowReaderMs,
    onWork: (by, ms) => limiter.worked(by, ms),
    onRefused: (c, error, by) =>
      limiter.refused((c.env as { incoming: IncomingMessage }).incoming, error, by),
    now,
    access,
    onForgery: (by, where, what) =>
      onForgery(by, workspaceOf(by), `${where.slice(0, 200)}: ${what}`),
    startedAt,
    metrics,
    trouble: () => failure,
    damage: () => (damage.size === 0 ? null : `damaged: ${[...damage].join('; ')}`),
    failed: () => rooms.faults.names,
    updateLog,
    history,
    blobs,
    tasks,
    guests,
    texts,
    leaseMs,
    maxBody: options.limits.body,
    room: (name) => {
      if (failure !== null) throw new ClawError('storage_failed', failure, 'see the server log')
      bounded(name)
      return rooms.open(name)
    },
    reader: (name) => {
      if (failure !== null) return readers.open(name)
      bounded(name)
      return rooms.open(name)
    },
    ops: {
      backup: (dir) => {
        const records = () => updateLog.records()
        // No blob that the records refer to goes before it is copied.
        return sweeper.hold(() => writeBackup({ data: options.data, records, version, now }, dir))
      },
    },
    log,
  }
  const app = createApp(env)
  const pair = tls === null ? null : readTls(tls)
  const handshakeMs = options.limits['handshake-seconds'] * 1_000
  const serverOptions = { connectionsCheckingInterval: Math.min(UNASKED_LOOK_MS, handshakeMs / 2) }
  const http = (
    pair === null
      ? createAdaptorServer({ fetch: app.fetch, serverOptions, autoCleanupIncoming: false })
      : createAdaptorServer({
          fetch: app.fetch,
          autoCleanupIncoming: false,
          createServer: createTlsServer,
          serverOptions: { ...serverOptions, ...pair, handshakeTimeout: handshakeMs },
        })
  ) as HttpServer
  const unfollow =
    tls === null || pair === null
      ? () => {}
      : followTls(http as unknown as TlsServer, tls, pair, options.tlsLookMs, {
          renewed: () => log.info('the certificate was renewed'),
          warn: (err) => log.warn({ err }, 'the renewed certificate is not usable yet'),
        })
  const porch = limiter.watch(http, handshakeMs, (secret) => access.authenticator.isGood(secret))
  const requests = new Requests(http, (request, cut) => limiter.hold(request, cut))
  http.prependListener('request', (request, response) => {
    request.socket.emit(NEXT_REQUEST)
    response.prependOnceListener('finish', () => drain(request))
  })
  http.requestTimeout = options.limits['request-seconds'] * 1_000
  http.headersTimeout = handshakeMs

  const wss = webSockets(options.limits.frame)
  const plainWss = webSockets(options.limits.body)

  const hearing = new FrameReader(onClose)

  const sync = (
    request: IncomingMessage,
    ws: WebSocket,
    socket: Socket,
    workspace: string,
    speaker: Principal,
  ): void => {
    socket.setNoDelay(true)
    const agent = agentOf(speaker)
    const hold = limiter.holdFor(request, agent, workspace, () => {
      const reason = 'too much is held for this agent: it does not send the rest, or takes nothing'
      onClose(CLOSE.slowReader, reason, speaker)
      if (!connection.isSlow) limiter.offended(speaker, hold.most)
      connection.cut(reason)
    })
    const connection = new Connection(ws, socket, speaker, hold, now())
    hearing.hear(ws, socket, speaker, options.limits.frame, hold)
    connections.add(connection)
    socket.on('drain', () => connection.drained(now()))
    ws.on('close', () => {
      connections.delete(connection)
      room.detach(connection)
    })
    const room = rooms.attach(workspace, connection)
    const take = (message: Buffer) => {
      connection.taking = message.length
      const work = room.receive(connection, message)
      hearing.pool.give(message)
      return work
    }
    const inbox = limiter.inbox(ws, agent, workspace, take, hold)
    ws.on('message', (data: RawData, isBinary: boolean) => {
      if (!isBinary) {
        const reason = 'text frames are not part of the protocol'
        onClose(CLOSE.malformed, reason, speaker)
        connection.close(CLOSE.malformed, reason)
      } else inbox.push(data as Buffer)
    })
  }

  http.on('upgrade', (request, stream, head) => {
    const socket = stream as Socket
    socket.on('error', (err) => log.debug({ err }, 'socket error'))
    const refuse = (thrown: unknown): void => {
      const asked = requestError(thrown, failure)
      const isGuess = asked.code === 'unauthorized' && hasTried(request)
      const error = (isGuess ? failedBy(request, asked) : null) ?? asked
      limiter.refused(request, error, null)
      refuseUpgrade(socket, error)
      // Nobody reads what still comes, nor waits for its end.
      setTimeout(() => socket.destroy(), CLOSE_MS).unref()
    }
    try {
      const asked = askedFor(request, access)
      const { workspace, speaker, guest, opened: spend } = asked
      if (failure !== null) throw new ClawError('storage_failed', failure)
      bounded(workspace)
      limiter.enter(request, agentOf(speaker), workspace)
      if (guest === null) {
        wss.handleUpgrade(request, socket, head, (ws) => {
          spend()
          sync(request, ws, socket, workspace, speaker)
        })
        return
      }
      const enter = async (): Promise<void> => {
        const room = rooms.open(workspace)
        await ready(room)
        const one = guests.guest(room, checkAgentId(guest))
        registered(one)
        plainWss.handleUpgrade(request, socket, head, (ws) => {
          const hold = limiter.holdFor(request, guest, workspace, () => ws.terminate())
          hearing.hear(ws, socket, speaker, options.limits.body, hold)
          let unsent = 0
          const opened = guestSockets.open(
            ...([ws, socket, one, env, asked.authorizeAgain] as const),
            (bytes) => {
              const more = bytes - unsent
              unsent = bytes
              hold.add(more)
            },
          )
          const take = (data: Buffer) => {
            const { length } = data
            hold.add(length)
            opened.receive(String(data), () => hold.add(-length))
            hearing.pool.give(data)
            return null
          }
          const inbox = limiter.inbox(ws, guest, workspace, take, hold)
          ws.on('message', (data: RawData) => inbox.push(data as Buffer))
        })
      }
      enter().catch(refuse)
    } catch (error) {
      refuse(error)
    }
  })
  http.on('clientError', (err: NodeJS.ErrnoException, socket) => {
    log.debug({ err }, 'bad HTTP request')
    // Who went away in the middle of a request reads no answer.
    if (!socket.writable || err.code === 'HPE_INVALID_EOF_STATE') return socket.destroy()
    const [status, reason] = CLIENT_ERRORS[err.code ?? ''] ?? ['400', 'Bad Request']
    // Ended only, it would stay open for as long as the other side sends.
    socket.end(`HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\n\r\n`, () => socket.destroy())
  })

  let uninvite = () => {}
  let silence = async () => {}
  try {
    await rooms.open('default').loaded.catch((error) => {
      // A workspace that has failed by itself keeps no other from being served.
      if (failure !== null || causeOf(error, Corruption) !== null) throw error
    })
    await listen(http, options)
    const { port } = http.address() as AddressInfo
    const { local: url, lan } = urlsOf(options, port)
    const { token } = owner
    await saveOwner(options.data, {
      token,
      url,
      reach: options.publicUrl ?? lan[0] ?? url,
      pid: process.pid,
    })
    if (options.hasMdns) {
      const { announce } = await import('./mdns.ts')
      const { names: workspaces } = access.workspaces
      const record = {
        ...{ version, auth: 'required', path: '', tls: tls === null ? '0' : '1' },
        workspaces: String(workspaces.length),
      }
      const address = isAnywhere(options.host) ? null : options.host
      silence = announce({ port, address, record }, (err) =>
        log.warn({ err }, 'the server is not announced on the network'),
      )
    }
    if (isLoopback(options.host) || isAnywhere(options.host)) {
      uninvite = await inviteSameUser(port, sameUser)
    }
  } catch (error) {
    http.close()
    await recovery.close()
    await rooms.flush()
    rooms.close()
    await history.close()
    await updateLog.close()
    throw storeError(options.data, error)
  }

  const beat = (): void => {
    for (const room of rooms.all) room.heartbeat()
    for (const connection of connections) {
      if (connection.beat()) log.info({ connection: connection.id }, 'cut off: silent')
    }
    for (const socket of guestSockets.all) socket.beat(now())
    hearing.cutStalled()
  }
  // What came in while this process was busy or stopped is read first: it is a sign of life.
  const heartbeat = setInterval(() => setImmediate(beat), options.heartbeatMs)

  const sweeping = setInterval(() => {
    if (failure === null) void sweeper.sweep()
    limiter.forget()
  }, options.sweepMs)

  const close = async (): Promise<void> => {
    clearInterval(heartbeat)
    clearInterval(sweeping)
    unfollow()
    uninvite()
    failure ??= 'the server is stopping'
    const stopped = new Promise<void>((resolve) => http.close(() => resolve()))
    porch.clear()
    const cut = (): void => {
      for (const { ws } of connections) ws.terminate()
      http.closeAllConnections()
    }
    const gone = () =>
      Promise.all([stopped, ...[...connections].map(({ ws }) => once(ws, 'close'))])
    await takeSteps(
      [
        {
          ...{ what: 'what runs beside the rooms', ms: STOP_MS.aside },
          run: () => Promise.all([silence(), recovery.close(), guests.settle()]),
        },
        {
          what: 'guests',
          run: () => {
            readers.drop(new Error('the server is stopping'))
            tasks.close()
            guests.close()
            for (const socket of guestSockets.all) socket.close(1001, 'the server is stopping')
          },
        },
        {
          ...{ what: 'taking in what has come', ms: STOP_MS.received },
          run: () => limiter.settled(STOP_MS.received - 100),
        },
        { what: 'storing it', ms: STOP_MS.flush, stores: true, run: () => rooms.flush() },
        {
          ...{ what: 'checkpoints', ms: STOP_MS.checkpoints },
          run: (signal) => rooms.writeCheckpoints(signal),
        },
        {
          what: 'closing connections',
          ms: STOP_MS.connections,
          run: () => {
            rooms.close()
            http.closeIdleConnections()
            return gone()
          },
        },
        {
          what: 'cutting connections',
          ms: STOP_MS.cut,
          run: () => {
            cut()
            return gone()
          },
        },
        { what: 'versions', ms: STOP_MS.versions, run: () => history.close() },
        { what: 'the thread of texts', ms: STOP_MS.aside, run: () => texts.close() },
        {
          ...{ what: 'the store', ms: STOP_MS.store, stores: true, writes: true },
          run: () => updateLog.close(),
        },
        {
          ...{ what: 'saying that it has stopped', ms: STOP_MS.aside, writes: true },
          run: () => saveOwner(options.data, { token: owner.token }),
        },
      ],
      (step, err) => log.warn({ err, step }, 'a step of stopping was not done'),
    )
  }
  return { port: (http.address() as AddressInfo).port, close }
}

/** What is answered to what is no request. */
const CLIENT_ERRORS: Readonly<Record<string, readonly [status: string, reason: string]>> = {
  HPE_HEADER_OVERFLOW: ['431', 'Request Header Fields Too Large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408', 'Request Timeout'],
}

/** What the store says of a failure; LevelDB's own words are in the cause. */
const reasonOf = (error: Error): string =>
  error.cause instanceof Error ? reasonOf(error.cause) : error.message

const listen = (http: HttpServer, { host, port }: Options): Promise<void> =>
  new Promise((resolve, reject) => {
    http.once('error', (error: NodeJS.ErrnoException) => {
      reject(
        error.code === 'EADDRINUSE'
          ? new ClawError(
              'port_taken',
              `port ${port} on ${host} is taken`,
              'another clawlink-sync may be running; stop it, or choose another with --port',
            )
          : new ClawError(
              'usage',
              `cannot listen on ${host}:${port}: ${error.message}`,
              'choose an address of this machine with --host and a free port with --port',
            ),
      )
    })
    http.listen(port, host, resolve)
  })

const webSockets = (maxPayload: number): WebSocketServer =>
  dated(
    new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload,
      perMessageDeflate: false,
      closeTimeout: CLOSE_MS,
    } as ConstructorParameters<typeof WebSocketServer>[0]),
  )

/** Says the time with each WebSocket that it opens: clients whose clock is wrong go by it. */
const dated = (wss: WebSocketServer): WebSocketServer =>
  wss.on('headers', (headers) => void headers.push(`Date: ${new Date().toUTCString()}`))
