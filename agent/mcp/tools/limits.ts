/** Longest wait of one call, in seconds: below the 60 minutes that hosts give a call with progress. */
export const MAX_WAIT_S = 3_000
/** Interval of progress notifications while a call waits, in milliseconds; hosts abort a call that is silent for longer. */
export const PROGRESS_MS = 60_000
/** Bytes of a line: a file of 4 MiB, of which JSON may make six bytes of one, is put by the CLI. */
export const MAX_LINE_BYTES = 8 * 1024 * 1024
/** Levels of nesting of a message. */
export const MAX_DEPTH = 64
/** Requests of one client that run at a time (count). */
export const MAX_RUNNING = 32
/** Subscriptions of one client (count). */
export const MAX_SUBSCRIPTIONS = 256
/** Messages that one client may send at once, and per second on average (count). */
export const BURST = 400
export const PER_SECOND = 200
/** Bytes that wait for a client that does not read; beyond this it is disconnected. */
export const MAX_UNREAD_BYTES = 32 * 1024 * 1024
/** Characters of a result; hosts cut longer ones, or put them into a file. */
export const MAX_RESULT_CHARACTERS = 6 * 1024 * 1024
