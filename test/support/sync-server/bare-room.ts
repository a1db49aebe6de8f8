import { Authors } from '../../../sync-server/auth/ownership/authors.ts'
import type { UpdateLog } from '../../../sync-server/storage/update-log.ts'
import type { RoomEnv } from '../../../sync-server/sync/room-env.ts'
import { initWorkspace, serverClientOf } from '../../../workspace/document/schema.ts'

/** The environment of rooms on `log`, without the rest of a server. */
export const bareRoom = (log: UpdateLog, now: () => number): Omit<RoomEnv, 'onIdle'> => ({
  ...{ log, now, gate: () => new Authors(() => false) },
  ...{ maxAwareness: 8_192, maxDocument: 1e9, slowReaderMs: 30_000 },
  ...{ mayRead: () => true, isMoved: () => false },
  prepare: (doc, name) => initWorkspace(doc, name, now()),
  serverClient: serverClientOf,
  taskOf: () => null,
  keepsText: () => false,
  keeps: () => true,
  onDocument: () => {},
  onAwareness: () => {},
  onFailure: () => {},
  onCommit: () => {},
  onForgery: () => {},
  onClose: () => {},
})
