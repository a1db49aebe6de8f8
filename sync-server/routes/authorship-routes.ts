import type { HttpBindings } from '@hono/node-server'
import * as z from 'zod'
import { MAX_PATH_BYTES } from '../../protocol/limits.ts'
import * as inputs from '../../workspace/actions/inputs/undo.ts'
import { blameOf, readText } from '../history/attribution/blame.ts'
import { bodyOf } from '../http/body.ts'
import { type Route, route } from '../http/route.ts'
import { undoFor } from '../http-agents/undo/undo.ts'
import { asking, look } from './agent-request.ts'
import { at, doingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'

const line = z.coerce.number().int().min(1)

const BlameQuery = z
  .strictObject({
    key: z.string().min(1).max(MAX_PATH_BYTES),
    ...{ from_line: line.optional(), to_line: line.optional() },
    deleted: z.stringbool().default(false),
  })
  .refine(({ from_line = 1, to_line = from_line }) => from_line <= to_line, {
    ...{ path: ['to_line'], message: 'it is before from_line' },
  })

const Origin = z.looseObject({
  ...{ agent_id: z.string(), task_id: z.string().nullable() },
  ...{ via: z.string().nullable(), at: z.string().nullable() },
})

const Blame = z.object({
  ...{ file_key: z.string(), version: z.number() },
  ranges: z.array(Origin.extend({ from_line: z.number(), to_line: z.number() })),
  deleted: z.array(Origin.extend({ line: z.number(), text: z.string().nullable() })).optional(),
  more: z.boolean().optional(),
})

const lines = z.object({ from_line: z.number(), to_line: z.number() })
const Undone = z.object({
  ...{ undo: z.string().nullable(), dry_run: z.boolean() },
  files: z.array(
    z.looseObject({
      ...{ file_key: z.string(), version: z.number() },
      ...{ removed: z.number(), restored: z.number(), lost: z.number() },
      ...{ lines: z.array(lines), overlaps: z.array(lines.extend({ by: z.array(z.string()) })) },
      diff: z.string().nullable().optional(),
    }),
  ),
})

/** The authors of the shared files, and undoing what one of them did. */
export const authorshipRoutes = (env: AppEnv): Route[] => [
  doingIn(env)(
    ...(['POST', 'undo', 'Undoes changes of an agent, of a task or since a time'] as const),
    ...([bodyOf(inputs.undo), Undone] as const),
    (context, { by: _, ...wanted }, { c }) => undoFor(context, asking(c), wanted),
    { isCommand: true },
  ),
  route({
    ...{ method: 'GET', path: at('files/blame'), needs: 'read', query: BlameQuery, answer: Blame },
    summary: 'The authors of the lines of a file: agent, task, time; and of what is deleted',
    run: async (asked) => {
      const { key, from_line, to_line, deleted } = asked.query
      const state = await look(env, asked, ({ doc }) => readText(doc, key, deleted))
      const lines = { from: from_line ?? 1, to: to_line ?? from_line ?? Number.POSITIVE_INFINITY }
      const found = await blameOf(env.updateLog, asked.workspace, state, lines, deleted)
      const units = state.spans.reduce((sum, { length }) => sum + length, 0)
      env.holdOf((asked.c.env as HttpBindings).incoming).add(units)
      return found
    },
  }),
]
