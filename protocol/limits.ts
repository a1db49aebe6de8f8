/** Sizes in UTF-8 bytes unless a name says otherwise. Larger input is rejected with `too_large`, never cut. */

/** A task's description or a broadcast's content: a long brief fits, a dump belongs in a file. */
export const MAX_MESSAGE_BYTES = 64 * 1024
/** A task's JSON context, serialised. */
export const MAX_CONTEXT_BYTES = 64 * 1024
/** A task's result: kept in the live document twice (status and history), so larger ones belong in a file. */
export const MAX_RESULT_BYTES = 256 * 1024
/** A shared text file. A Y.Doc takes about 8 times its content in memory, on every peer. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024
/** A file's path, as most file systems have it for one path component times four. */
export const MAX_PATH_BYTES = 1024
/** An agent's name (Unicode characters): it fits into a line, and holds no sentence that could pass for an order. */
export const MAX_NAME_CHARS = 64
/** Capabilities, topics, tags, machine names. */
export const MAX_NAME_BYTES = 128
export const MAX_DESCRIPTION_BYTES = 2 * 1024
/** Why an agent is to pause: a sentence or two, in its record until it is resumed. */
export const MAX_NOTE_BYTES = 1024
/** Capabilities of one agent, tags of one broadcast (count). */
export const MAX_LIST_LENGTH = 64
/**
 * Largest lead of another writer's timestamp that still counts (ms). Two clocks that are off by 10 minutes in opposite
 * directions differ by 20; the rest is for writers of more than one entry per millisecond, who run ahead of their clock.
 */
export const MAX_AHEAD_MS = 30 * 60_000
/** An idempotency key. */
export const MAX_KEY_BYTES = 128
/** A shared file that is not text. The server keeps its bytes, and no replica holds them. */
export const MAX_BLOB_BYTES = 256 * 1024 * 1024
/** Newest versions of a binary file whose bytes are kept (count). */
export const KEPT_BLOBS = 5
/** Paths of files in one workspace, removed ones included (count). */
export const MAX_FILES = 20_000
/** Time for which the text of a removed file is kept (ms), for edits of other replicas that have not arrived yet. */
export const REMOVED_KEPT_MS = 7 * 24 * 3_600_000
/** Tasks that one task may wait for; artifacts of one result (count). */
export const MAX_TASK_LINKS = 64
/** Transitions of one task that are kept one by one (count); beyond it progress is in its status only. */
export const MAX_HISTORY = 256
/** Default number of owners that may release a task or lose it before it fails. */
export const MAX_ATTEMPTS = 3
/** A structured result, serialised. */
export const MAX_RESULT_JSON_BYTES = 64 * 1024
/** The largest number of these that a task's creator may set. */
export const MAX_ATTEMPTS_ASKED = 99
/** Yjs client ids whose edit counts a removed file's entry remembers (count): each editor has a few. */
export const MAX_REMOVED_EDITS = 10_000
/** A formatting mark in a text (bytes of its value as JSON): a link fits. */
export const MAX_MARK_BYTES = 2 * 1024
/** Types within types (count). ClawLink's own are 3 deep; for each change Yjs tells all that are around it. */
export const MAX_TYPE_DEPTH = 64
/** Root types of other programs in one workspace (count). A root's name stays for ever. */
export const MAX_OTHER_ROOTS = 1_000
/** The name of such a root, and the key of a map in it. */
export const MAX_OTHER_NAME_BYTES = 1024
/** One value, binary or embed in such a root. */
export const MAX_OTHER_VALUE_BYTES = 1024 * 1024
/** Subdocuments in one workspace (count): each is a whole document in memory. */
export const MAX_SUBDOCUMENTS = 64
/** Edit counts of one agent in one workspace (count): only it can write them, and they stay for ever. */
export const MAX_EDIT_COUNTS = 40_000
/**
 * A file's text on the server (UTF-16 units). Writers keep to MAX_FILE_BYTES; several who write at the same time can get
 * beyond it together.
 */
export const MAX_TEXT_UNITS = 4 * MAX_FILE_BYTES
/** Formatting marks in a file's text (count): Yjs walks over those at a place to insert there. */
export const MAX_MARKS = 50_000
/** Keys that a map of the document ever has (count): of an agent's record, of one file's blobs, of one file's counts. */
export const MAX_RECORD_KEYS = 64
export const MAX_FILE_KEYS = 10_000
/** Agents that were ever registered in one workspace (count). */
export const MAX_AGENTS = 10_000
/** Root types that one agent can be the first to write in (count): a file has three at most. A root's name stays for ever. */
export const MAX_AGENT_ROOTS = 64_000
/** All files of a mirrored folder, where `--max-size` does not say (bytes): a repository fits, a disk is not filled. */
export const MAX_MIRROR_BYTES = 1024 * 1024 * 1024
/** The highest version number of a file: the server's keys keep their order up to it. */
export const MAX_VERSION = 2 ** 52 - 1

/** Hunks of one suggestion (count): they are judged one by one. */
export const MAX_SUGGESTED_HUNKS = 256
/** The old and new text of one suggestion's hunks (UTF-8 bytes): they stand in the document until they are judged. */
export const MAX_SUGGESTION_BYTES = 256 * 1024
/** Suggestions that wait in one workspace, and of one agent (count): all that one agent sends can still be read. */
export const MAX_OPEN_SUGGESTIONS = 500
export const MAX_AGENT_SUGGESTIONS = 100
/** The hunks of all that wait in one workspace, and of one agent (UTF-16 units): every replica holds them. */
export const MAX_SUGGESTED_UNITS = 8 * 1024 * 1024
export const MAX_AGENT_SUGGESTED_UNITS = 2 * 1024 * 1024
/** Ended suggestions whose outcome stays in the document (count), and for how long (ms): their proposers are told from it. */
export const KEPT_SUGGESTIONS = 200
export const SUGGESTIONS_KEPT_MS = 7 * 24 * 3_600_000
/** Suggestions that the server keeps whole once they ended: the newest (count). */
export const ARCHIVED_SUGGESTIONS = 10_000
/** Agents that are told of one suggestion (count). */
export const MAX_SUGGESTION_READERS = 64

/** One agent's intents for lines of files at a time (count): they are in its awareness, which everyone gets. */
export const MAX_INTENTS = 8
/** Others see an intent for this long, where not said otherwise (seconds). */
export const INTENT_SECONDS = 600
