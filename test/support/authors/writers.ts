import type * as Y from 'yjs'
import type { AgentId } from '../../../protocol/ids.ts'
import type { Member } from '../auth/members.ts'
import { liveDoc, type RawClient } from '../client.ts'
import { type Opened, open } from '../tui/editor-session.ts'
import { letterOf, Wrong } from './oracle.ts'
import { within } from './patience.ts'

/** A text is kept near this length (UTF-16 units). */
const LENGTH = 4_000
/** The most edits in one message (count). */
const TOGETHER = 40
/** A silent or slow client, as which a busy machine can look. */
const SLOW = [1006, 4408]

/** An agent on a socket. */
export interface Writer {
  index: number
  who: Member
  doc: Y.Doc
  slot: number
  task: string | null
  client: RawClient
}

export interface Chance {
  /** [0, 1). */
  random: () => number
  /** 0 … most - 1. */
  below: (most: number) => number
}

/** Connects a writer's document; again, where a busy machine was taken for a silent client. */
export const connect = async (
  url: string,
  { doc, who: { headers } }: Pick<Writer, 'doc' | 'who'>,
): Promise<RawClient> => {
  for (let left = 20; ; left--) {
    try {
      return (await within('a socket is in step', liveDoc(url, doc, headers))).client
    } catch (error) {
      const isSlow = SLOW.some((code) => (error as Error).message.endsWith(`ended with ${code}`))
      if (!isSlow || left === 0) throw error
    }
  }
}

/** Waits until the server has all that a writer sent. */
export const barrier = async (url: string, writer: Writer): Promise<void> => {
  for (;;) {
    const { client } = writer
    // What it was told is in its document.
    client.messages.length = 0
    const answered = client.barrier().then(() => null)
    const code = await within('a barrier', Promise.race([answered, client.closed]))
    if (code === null) return
    if (code >= 4400 && !SLOW.includes(code)) {
      throw new Wrong(`an honest writer is closed with ${code}`)
    }
    writer.client = await connect(url, writer)
  }
}

/** Random edits of a text, at most TOGETHER in one message. Returns their number. */
export const editOnSocket = ({ index, doc, slot }: Writer, root: string, by: Chance): number => {
  const count = 1 + by.below(TOGETHER)
  const text = doc.getText(root)
  doc.transact(() => {
    for (let left = count; left > 0; left--) {
      const at = by.below(text.length + 1)
      const doesDelete = by.random() < (text.length > LENGTH ? 0.6 : 0.35)
      if (doesDelete && at < text.length) {
        text.delete(at, Math.min(1 + by.below(6), text.length - at))
        continue
      }
      const letters = letterOf(index, slot).repeat(1 + by.below(6))
      text.insert(at, letters + (by.random() < 0.05 ? '\n' : ''))
    }
  })
  return count
}

/** Keys that write nothing of others again: taking back or pasting what others wrote makes it one's own. */
const MOVES = [
  'left',
  'right',
  'up',
  'down',
  'home',
  'end',
  'word-left',
  'pagedown',
  'ctrl-home',
].map((key) => key.replace('word-left', 'ctrl-left'))
const DELETES = ['backspace', 'delete', 'ctrl-w', 'alt-d', 'ctrl-k', 'ctrl-u', 'ctrl-x']

/** The editor of the TUI on a writer's document. */
export const editorOf = ({ doc, who }: Writer, key: string): Opened =>
  open(doc, key, who.agent as AgentId)

/** Random keys in the editor, until one of them changes the text. Returns the number of changes: 1. */
export const pressKeys = (editor: Opened, { index, slot }: Writer, by: Chance): number => {
  const { session } = editor
  const caret = by.below(session.text.lines.length + 1)
  session.text.select(caret, caret)
  for (let left = 20; left > 0; left--) {
    const { version } = session.text
    const chance = by.random()
    const isLong = session.text.lines.length > LENGTH
    if (chance < 0.2) editor.keys(MOVES[by.below(MOVES.length)]!)
    else if (chance < (isLong ? 0.7 : 0.35)) editor.keys(DELETES[by.below(DELETES.length)]!)
    else if (chance < 0.75) editor.keys('enter')
    else editor.type(letterOf(index, slot).repeat(1 + by.below(6)))
    if (session.text.version !== version) return 1
  }
  return 0
}
