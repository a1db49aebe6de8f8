import * as Y from 'yjs'
import type { Attached } from '../../../client/resident/attach.ts'
import type { AgentId } from '../../../protocol/ids.ts'
import { fitInto } from '../../../tui/editor/draw.ts'
import type { EditorPress } from '../../../tui/editor/key-input.ts'
import { EditorSession } from '../../../tui/editor/session.ts'
import type { FileCursor } from '../../../workspace/agents/presence.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { type Held, held } from './attached.ts'

/** An editor on a document without a screen, whose time passes when it is told to. */
export interface Opened {
  session: EditorSession
  attached: Held
  doc: Y.Doc
  keys: (...keys: string[]) => void
  type: (text: string) => void
  /** The text as the document has it. */
  text: () => string
  /** The text around the caret, which is a `|`; a selection is between `[` and `]`. */
  at: () => string
  pass: (ms: number) => void
  shown: (FileCursor | null | undefined)[]
  left: () => number
}

/** A document with one file, by somebody else. */
export const docWith = (content: string, key = 'a.md'): Y.Doc => {
  const doc = new Y.Doc()
  putFile(doc, { key, content, base: null, by: 'a-bob' as AgentId, now: 1 })
  return doc
}

export const open = (
  doc: Y.Doc,
  path: string,
  me: AgentId,
  presences: Held['presences'] = () => [],
): Opened => {
  const attached = held({ doc, agents: [me], presences: presences(), tasks: [], now: 0 })
  const shown: Opened['shown'] = []
  attached.show = ({ cursor }: Parameters<Attached['show']>[0]) => shown.push(cursor)
  let now = 1_000
  let left = 0
  const timers = new Set<{ at: number; run: () => void }>()
  const leave = () => {
    left++
    session.close()
  }
  const session: EditorSession = new EditorSession({
    ...{ attached, path, now: () => now, leave },
    later: (ms, run) => {
      const timer = { at: now + ms, run }
      timers.add(timer)
      return () => timers.delete(timer)
    },
  })
  fitInto(session, 80, 20)
  const press = (press: EditorPress) => session.press(press)
  const text = () => textOf(doc, session.id).toJSON()
  return {
    ...{ session, attached, doc, text, shown },
    left: () => left,
    keys: (...keys) => {
      for (const key of keys) press({ key })
    },
    type: (typed) => press({ text: typed }),
    at: () => {
      const [from, to] = session.text.selection
      const all = session.text.lines.slice(0, session.text.lines.length)
      const selected = all.slice(from, to)
      return all.slice(0, from) + (from === to ? '|' : `[${selected}]`) + all.slice(to)
    },
    pass: (ms) => {
      const end = now + ms
      for (;;) {
        const [next] = [...timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)
        if (next === undefined) break
        timers.delete(next)
        now = Math.max(now, next.at)
        next.run()
      }
      now = end
    },
  }
}

/** Gives each document what it lacks of the other. */
export const exchange = (a: Y.Doc, b: Y.Doc): void => {
  Y.applyUpdate(a, Y.encodeStateAsUpdate(b, Y.encodeStateVector(a)), 'remote')
  Y.applyUpdate(b, Y.encodeStateAsUpdate(a, Y.encodeStateVector(b)), 'remote')
}
