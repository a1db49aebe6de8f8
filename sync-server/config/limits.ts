/** One WebSocket message from a client. A file's largest edit and a long offline spell fit into it. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024
/** An HTTP request's body: the largest result, escaped as JSON, fits. */
export const MAX_BODY_BYTES = 1024 * 1024
/** One awareness entry's JSON: a name, an activity and a cursor fit; every change of it goes to everyone. */
export const MAX_AWARENESS_BYTES = 8 * 1024
/** Updates that a connection may send before its own SyncStep2 fills the gap before them (count). */
export const MAX_HELD_FRAMES = 256
/** Barriers that one connection may have unanswered because it does not take what comes before them (count). */
export const MAX_OWED_BARRIERS = 1_000
/** Bytes waiting in one socket before the room stops writing to it and lets it catch up from the room's log. */
export const MAX_SOCKET_BUFFER = 256 * 1024
/** Recent commits that a room keeps in memory for readers that fell behind; beyond it they reread from disk. */
export const RING_BYTES = 8 * 1024 * 1024
/** A reader that takes nothing for this long is cut off; it reconnects and resyncs. */
export const SLOW_READER_MS = 30_000
/**
 * Pings, and the checks for the silent and the slow; `--heartbeat` changes it. A stock y-websocket client hangs up after
 * 30 s of silence; one that is silent for two of these is gone, which the others shall know within 35 s.
 */
export const HEARTBEAT_MS = 12_000
/** Awareness changes of this long go out as one message: two frames of a 60 Hz screen. */
export const AWARENESS_TICK_MS = 33
/** Commands that wait run in one turn of a room for so long (milliseconds); the others in the next. */
export const COMMANDS_MS = 5
/** A room's document is built when something needs it, or this long after its log was read. */
export const BUILD_DELAY_MS = 250
/** All blobs of a workspace, with what is announced of uploads under way (bytes). */
export const BLOB_QUOTA_BYTES = 4 * 1024 * 1024 * 1024
/** A blob that nothing refers to is kept this long: the reference to it may be on its way, from an offline link, too. */
export const BLOB_GRACE_MS = 24 * 60 * 60_000
/** An upload that was cut can be gone on with for this long. */
export const PARTIAL_KEPT_MS = 24 * 60 * 60_000
/** Uploads under way, cut ones included (count): of an agent, and of a workspace. */
export const MAX_AGENT_PARTIALS = 32
export const MAX_PARTIALS = 512
/** Another request may go on with an upload from which nothing came for this long: its connection is dead. */
export const STALLED_UPLOAD_MS = 2_000
/** How often what nobody needs any more is cleared: texts and blobs of files removed long ago, cut uploads. */
export const SWEEP_MS = 60 * 60_000
/** A room without connections is written as a checkpoint and unloaded after this long. */
export const IDLE_ROOM_MS = 30_000
/** A log's tail is folded into the checkpoint from this many updates on: a newcomer applies each of them. */
export const COMPACT_UPDATES = 2_000
/** … or from this many bytes on, once they outgrow half the checkpoint. */
export const COMPACT_BYTES = 1024 * 1024
/** How long each step of stopping may take (milliseconds): together less than the 10 s that a supervisor waits before it kills. */
export const STOP_MS = {
  /** What runs beside the rooms. */
  aside: 500,
  /** Taking in what has come. */
  received: 1_500,
  flush: 2_000,
  checkpoints: 1_500,
  /** Connections take what is queued for them, … */
  connections: 1_500,
  /** … and go once they are cut. */
  cut: 500,
  versions: 500,
  store: 1_000,
} as const
/** The live broadcasts array is trimmed when it gets longer (count): every replica holds all of it. */
export const MAX_LIVE_BROADCASTS = 2_000
/** … down to this many, so that a trim is rare, and the recent past is on every replica. */
export const KEPT_BROADCASTS = 1_000
/** A page of the log or the archive ends at the first entry that reaches this many bytes. */
export const PAGE_BYTES = 1024 * 1024
/** A page of the log ends when looking for what it asks for took this long; the next one goes on from there. */
export const LOG_SCAN_MS = 500
/** How far an agent's clock may be ahead of the server's before `since` a time misses what it archived. */
export const CLOCK_SKEW_MS = 10 * 60_000
/** Versions of one file that are kept (count); beyond it the oldest go, as many as hang together. */
export const MAX_KEPT_VERSIONS = 1_000
/** … and bytes of their contents, as stored: four files of the largest size. */
export const MAX_KEPT_VERSION_BYTES = 16 * 1024 * 1024
/** Deltas between two versions that are stored whole (count): reading a version applies at most as many. */
export const MAX_VERSION_STEPS = 100
/** Versions are stored at most this often, many at a time, so that their fsyncs do not hold up those of edits. */
export const VERSIONS_GATHER_MS = 50
/** Texts waiting to be stored as versions (UTF-16 units); beyond it the steps between a file's states are not kept. */
export const MAX_WAITING_VERSIONS = 8 * 1024 * 1024
/** Texts of newest versions kept in memory (UTF-16 units), so that the next delta need not read them. */
export const VERSION_CACHE = 8 * 1024 * 1024
/** An owner that is not seen for this long has lost its task: longer than a restart, shorter than a night. */
export const LEASE_MS = 10 * 60_000
/** Others are asked too when nobody has taken an open task for this long: an agent may be thinking that long. */
export const OFFER_MS = 60_000
/** Ended tasks stay in the document for this long: who looks back at last week finds them at once. */
export const ARCHIVE_AFTER_MS = 7 * 24 * 60 * 60_000
/** Archived tasks that were looked up and are kept in memory (count). */
export const LOOKED_UP_TASKS = 1_000
/** A workspace that failed is not tried again for so long (milliseconds), twice as long each time it fails again … */
export const FIRST_REST_MS = 1_000
/** … up to this: one that is broken for good costs a load every few minutes. */
export const LONGEST_REST_MS = 5 * 60_000
/** After the store failed it is tried again this often. */
export const RECOVERY_MS = 1_000
/** … once so many bytes are free on its disk: opening it writes what is in its journals, 4 MiB each, into tables. */
export const RECOVERY_BYTES = 16 * 1024 * 1024
/** For how long at most a restored server accepts from clients what the backup lacks (days). */
export const MAX_RECOVERY_DAYS = 30
/** How often it is looked whether the certificate was renewed: a renewal comes weeks before the end. */
export const TLS_LOOK_MS = 60_000
/** How often connections are looked at that have not sent their request: the time they have is up by then. */
export const UNASKED_LOOK_MS = 5_000
/** A connection that is being closed has this long to say so, too: what it sends meanwhile is read for nothing. */
export const CLOSE_MS = 2_000
/** A connection whose credential was revoked has this long to read the close code before it is cut. */
export const REVOKED_MS = 500
/** An agent that speaks HTTP is here for so long after it asked something (milliseconds): its clients ask every 30 s or sooner. */
export const GUEST_PRESENT_MS = 45_000
/** What came in is looked through for those who wait by HTTP this long after a commit (milliseconds): many are one look. */
export const GUEST_LOOK_MS = 20
/** What an inbox hands out where no more is asked for (count): an agent reads it at once. */
export const PAGE_MESSAGES = 50
/** … as JSON; a message that is larger comes alone. */
export const INBOX_PAGE_BYTES = 64 * 1024
/** Unread messages of an agent that speaks HTTP that are kept ready (count); the rest is found when these are read. */
export const MAX_WAITING_MESSAGES = 1_000
/** Answers under idempotency keys that are kept for an agent that speaks HTTP (count), and for how long (milliseconds). */
export const KEPT_ANSWERS = 1_000
export const KEPT_ANSWERS_MS = 7 * 24 * 60 * 60_000
/** A request that waits for messages is answered after so long at most (milliseconds): proxies cut what is silent. */
export const MAX_WAIT_MS = 60_000
/** Bytes of a body that has a file in it: the largest file, escaped as JSON mostly is. */
export const MAX_FILE_BODY_BYTES = 9 * 1024 * 1024
/** Frames of a 1.x WebSocket that wait to be done (count): beyond it nothing more is read from it. */
export const MAX_UNDONE_FRAMES = 64
/** What a polling client was sent is taken for read after so long (milliseconds), unless it broke off before. */
export const GUEST_READS_MS = 500
