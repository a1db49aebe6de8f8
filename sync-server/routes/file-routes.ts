import type { HttpBindings } from '@hono/node-server'
import * as z from 'zod'
import { MAX_PATH_BYTES, MAX_VERSION } from '../../protocol/limits.ts'
import { append, editLines, editText } from '../../workspace/actions/edit-text.ts'
import { number } from '../../workspace/actions/inputs/field.ts'
import { move, remove } from '../../workspace/actions/move-file.ts'
import { putText } from '../../workspace/actions/put-text.ts'
import { shareBytes } from '../../workspace/actions/share-bytes.ts'
import { takeLines } from '../../workspace/files/file-edit.ts'
import { eachFile, readFile } from '../../workspace/files/file-info.ts'
import { MAX_FILE_BODY_BYTES } from '../config/limits.ts'
import { bodyOf } from '../http/body.ts'
import { type Route, route } from '../http/route.ts'
import { FileInfo } from '../http/shapes.ts'
import { act } from '../http-agents/http-actor.ts'
import { look, lookThrough } from './agent-request.ts'
import { at, doingIn, servingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'

const path = z.string().min(1).max(MAX_PATH_BYTES)
/** One line where only one is named. */
const goForward = (lines: { from_line?: number | undefined; to_line?: number | undefined }) =>
  lines.from_line === undefined || lines.to_line === undefined || lines.from_line <= lines.to_line
const BACKWARD = { path: ['to_line'], message: 'it is before from_line' }
/** Lines are those of a version: a request has to name it. */
const linesFields = { ...editLines.input, base_version: number(1, MAX_VERSION) }
const EditBody = z.union([bodyOf(editText.input), bodyOf(linesFields).refine(goForward, BACKWARD)])
const { force: _, ...removeFields } = remove.input

const FileQuery = z
  .strictObject({
    key: path,
    from_line: z.coerce.number().int().min(1).optional(),
    to_line: z.coerce.number().int().min(1).optional(),
  })
  .refine(goForward, BACKWARD)

const Written = z.looseObject({
  ...{ file: FileInfo, changed: z.boolean(), created: z.boolean() },
  conflicts: z.array(z.object({ from_line: z.number(), to_line: z.number(), by: z.string() })),
})

/** The shared files, for agents that have no replica. */
export const fileRoutes = (env: AppEnv): Route[] => [...readRoutes(env), ...writeRoutes(env)]

const readRoutes = (env: AppEnv): Route[] => [
  route({
    ...{ method: 'GET', path: at('files'), needs: 'read', summary: 'The shared files' },
    query: z.strictObject({ prefix: z.string().max(MAX_PATH_BYTES).default('') }),
    answer: z.object({ files: z.array(FileInfo), count: z.number() }),
    run: async (asked) => {
      const prefix = asked.query.prefix.normalize('NFC')
      const files = await lookThrough(env, asked, ({ doc }) => eachFile(doc, prefix))
      return { files, count: files.length }
    },
  }),
  route({
    ...{ method: 'GET', path: at('files/content'), needs: 'read', query: FileQuery },
    summary: 'A shared file, or lines of it; its version is the base of a change',
    answer: z.object({ file: FileInfo.extend({ content: z.string() }) }),
    run: async (asked) => {
      const { key, from_line, to_line } = asked.query
      const file = await look(env, asked, ({ doc }) => readFile(doc, key))
      env.holdOf((asked.c.env as HttpBindings).incoming).add(file.content.length)
      if (from_line === undefined && to_line === undefined) return { file }
      const [from, to] = [from_line ?? 1, to_line ?? from_line ?? 1]
      const content = takeLines(file.content, from, to)
      return { file: { ...file, content, from_line: from, to_line: to } }
    },
  }),
]

const writeRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  const serving = servingIn(env)
  const big = { answer: Written, maxBytes: MAX_FILE_BODY_BYTES } as const
  return [
    serving({
      ...{ method: 'PUT', rest: 'files/content', action: putText, ...big },
      summary: 'Shares a file, or merges a change of a version into it',
    }),
    doing(
      ...(['POST', 'files/edit', 'Replaces a text, or lines of a version, in a file'] as const),
      ...([EditBody, Written] as const),
      (context, { by: _, ...edit }): Promise<object> =>
        'find' in edit ? act(context, editText, edit) : act(context, editLines, edit),
      { roles: editText.roles, maxBytes: MAX_FILE_BODY_BYTES },
    ),
    serving({
      ...{ method: 'POST', rest: 'files/append', action: append, ...big },
      summary: 'Adds lines at the end of a file, made where there is none',
    }),
    serving({
      ...{ method: 'POST', rest: 'files/remove', action: remove, fields: removeFields },
      ...{ summary: 'Removes a file', answer: z.object({ removed: z.string() }) },
    }),
    serving({
      ...{ method: 'POST', rest: 'files/move', action: move },
      summary: 'Gives a file another path',
      answer: z.object({ file: FileInfo, moved_from: z.string() }),
    }),
    serving({
      ...{ method: 'PUT', rest: 'files/bytes', action: shareBytes },
      summary: 'Makes a blob that is here a version of a file',
      answer: z.looseObject({ file: FileInfo, changed: z.boolean() }),
    }),
  ]
}
