/** One WebSocket message from a client. A file's largest edit and a long offline spell fit into it. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024
/** An HTTP request's body: the largest result, escaped as JSON, fits. */
export const MAX_BODY_BYTES = 1024 * 1024
/** One awareness entry's JSON: a name, an activity and a cursor fit; every change of it goes to everyone. */
export const MAX_AWARENESS_BYTES = 8 * 1024
/** Updates that a connection may send before its own SyncStep2 fills the gap before them (count). */
export const MAX_HELD_FRAMES = 256
/** Unanswered barriers per connection that reads nothing (count). */
export const MAX_OWED_BARRIERS = 1_000
/** Bytes waiting in one socket before the room stops writing to it and lets it catch up from the room's log. */
export const MAX_SOCKET_BUFFER = 256 * 1024
/** Recent commits that a room keeps in memory for readers that fell behind; beyond it they reread from disk. */
export const RING_BYTES = 8 * 1024 * 1024
/** A reader that reads nothing for this long is disconnected; it reconnects and resyncs. */
export const SLOW_READER_MS = 30_000
/**
 * Pings, and the checks for the silent and the slow; `--heartbeat` changes it. A stock y-websocket client hangs up after
 * 30 s of silence; one that is silent for two of these is gone, which the others shall know within 35 s.
 */
export const HEARTBEAT_MS = 12_000
/** The longest time for which awareness changes are gathered: two frames of a 60 Hz screen. */
export const AWARENESS_TICK_MS = 33
/** Time for waiting commands per turn of a room (milliseconds); the rest run in the next turn. */
export const COMMANDS_MS = 5
/** A room's document is built when something needs it, or this long after its log was read: more for a large one. */
export const BUILD_DELAY_MS = 250
export const BUILD_DELAY_MS_PER_MIB = 1_000
export const MOST_BUILD_DELAY_MS = 2_000
/** All blobs of a workspace, with the announced sizes of running uploads (bytes). */
export const BLOB_QUOTA_BYTES = 4 * 1024 * 1024 * 1024
/** Grace period of a blob without references: its reference may be on the way from an offline client. */
export const BLOB_GRACE_MS = 24 * 60 * 60_000
/** A cut upload can be resumed for this long. */
export const PARTIAL_KEPT_MS = 24 * 60 * 60_000
/** Limits on unfinished uploads (count): per agent, and per workspace. */
export const MAX_AGENT_PARTIALS = 32
export const MAX_PARTIALS = 512
/** Another request may take over an upload that received nothing for this long: its connection is dead. */
export const STALLED_UPLOAD_MS = 2_000
/** Interval of clearing texts and blobs of files removed long ago, and cut uploads. */
export const SWEEP_MS = 60 * 60_000
/** A room without connections and commands is written as a checkpoint and unloaded after this long. */
export const IDLE_ROOM_MS = 30_000
/** A log's tail is folded into the checkpoint from this many updates on: a newcomer applies each of them. */
export const COMPACT_UPDATES = 2_000
/** While its checkpoint rests, records are joined in groups of this many updates, or bytes. */
export const JOINED_UPDATES = 256
export const JOINED_BYTES = 256 * 1024
/** … from this many on once nothing more comes, … */
export const QUIET_UPDATES = 100
export const QUIET_BYTES_PER_UPDATE = 10 * 1024
/** … or from this many bytes on, once they outgrow half the checkpoint. */
export const COMPACT_BYTES = 1024 * 1024
/** Time for each step of stopping (milliseconds). Together less than the 10 s after which a supervisor kills. */
export const STOP_MS = {
  /** A node gives its workspaces to the others. */
  handOver: 1_500,
  /** Tasks beside the rooms. */
  aside: 500,
  /** Applying received updates. */
  received: 1_500,
  flush: 2_000,
  checkpoints: 1_500,
  /** Connections receive the data queued for them, … */
  connections: 1_500,
  /** … and end once they are cut. */
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
/** A page of the log ends after this much searching; the next page continues there. */
export const LOG_SCAN_MS = 500
/** Largest lead of an agent's clock over the server's with which `since` a time still finds all archived messages. */
export const CLOCK_SKEW_MS = 10 * 60_000
/** Versions kept per file (count); beyond it the oldest are dropped, in chains of deltas. */
export const MAX_KEPT_VERSIONS = 1_000
/** … and bytes of their contents, as stored: four files of the largest size. */
export const MAX_KEPT_VERSION_BYTES = 16 * 1024 * 1024
/** Longest chain of deltas between two versions stored whole (count). */
export const MAX_VERSION_STEPS = 100
/** Deleted text that one turn of a room notes for its record (UTF-16 units): two files of the largest size. */
export const MAX_NOTED_UNITS = 8 * 1024 * 1024
/** Checkpoints of one workspace (count): one for each week of a year, and some more. */
export const MAX_CHECKPOINTS = 64
/** Files that all checkpoints of a workspace name together (count): the server holds these names in memory. */
export const MAX_CHECKPOINT_FILES = 200_000
/** Diffs in one comparison of two moments (bytes), and the time for them (milliseconds); the rest is only listed. */
export const MAX_DIFFS_BYTES = 256 * 1024
export const COMPARE_MS = 2_000
/** Texts of one turn of restoring (UTF-16 units), and its files (count): others have their turn in between. */
export const RESTORE_UNITS = 64 * 1024
export const RESTORE_FILES = 32
/** Deleted parts of a file in one answer (count): the newest. */
export const MAX_DELETED_PARTS = 1_000
/** Interval of storing versions, in batches, so that their fsyncs do not delay those of edits. */
export const VERSIONS_GATHER_MS = 50
/** Texts waiting to be stored as versions (UTF-16 units); beyond it intermediate states are skipped. */
export const MAX_WAITING_VERSIONS = 8 * 1024 * 1024
/** Cache of the newest versions' texts (UTF-16 units): the next delta need not read them. */
export const VERSION_CACHE = 8 * 1024 * 1024
/** An owner that is away this long loses its task: longer than a restart, shorter than a night. */
export const LEASE_MS = 10 * 60_000
/** An open task is offered to more agents after this long: an agent may think that long. */
export const OFFER_MS = 60_000
/** Ended tasks stay in the document this long: last week's are found at once. */
export const ARCHIVE_AFTER_MS = 7 * 24 * 60 * 60_000
/** Cache of archived tasks (count). */
export const LOOKED_UP_TASKS = 1_000
/** A failed workspace is not retried for this long (milliseconds), doubled with each failure … */
export const FIRST_REST_MS = 1_000
/** … up to this, so that a broken workspace costs one load every few minutes. */
export const LONGEST_REST_MS = 5 * 60_000
/** Interval of retries after the store failed. */
export const RECOVERY_MS = 1_000
/** … and only with this many bytes free on its disk: opening it writes its journals, 4 MiB each, into tables. */
export const RECOVERY_BYTES = 16 * 1024 * 1024
/** Longest time for which a restored server accepts others' operations from clients (days). */
export const MAX_RECOVERY_DAYS = 30
/** Interval of checks for a renewed certificate: it is renewed weeks before the old one expires. */
export const TLS_LOOK_MS = 60_000
/** Interval of checks for connections without a request; their time is up by then. */
export const UNASKED_LOOK_MS = 5_000
/** Time for the peer to answer a close frame; data it sends until then is discarded. */
export const CLOSE_MS = 2_000
/** Time for a revoked agent to read the close code before its connection is cut. */
export const REVOKED_MS = 500
/**
 * An agent that speaks HTTP counts as present for this long after a request (milliseconds): its clients ask every 30
 * s or sooner.
 */
export const HTTP_AGENT_PRESENT_MS = 45_000
/** Delay after a commit until waiting HTTP requests look for messages (milliseconds): many commits cost one look. */
export const HTTP_AGENT_LOOK_MS = 20
/** Messages per page of an inbox by default (count): an agent reads them at once. */
export const PAGE_MESSAGES = 50
/** … and their bytes as JSON; a larger message comes alone. */
export const INBOX_PAGE_BYTES = 64 * 1024
/** Unread messages of an HTTP agent kept ready (count); the rest is read later. */
export const MAX_WAITING_MESSAGES = 1_000
/** Idempotency answers kept per HTTP agent (count), and for how long (milliseconds). */
export const KEPT_ANSWERS = 1_000
export const KEPT_ANSWERS_MS = 7 * 24 * 60 * 60_000
/** Longest wait of a request for messages (milliseconds): proxies cut silent connections. */
export const MAX_WAIT_MS = 60_000
/** Largest body with a file in it (bytes): the largest file, escaped as JSON usually is. */
export const MAX_FILE_BODY_BYTES = 9 * 1024 * 1024
/** Unprocessed frames of a 1.x WebSocket (count), after which reading pauses. */
export const MAX_UNDONE_FRAMES = 64
/** Messages sent to a polling client count as read after this time (milliseconds), unless it disconnects before. */
export const HTTP_AGENT_READS_MS = 500
