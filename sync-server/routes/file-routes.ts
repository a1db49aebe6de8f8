import type { HttpBindings } from '@hono/node-server'
import { z } from 'zod'
import { isBlobName } from '../../protocol/ids.ts'
import { MAX_NAME_BYTES, MAX_PATH_BYTES } from '../../protocol/limits.ts'
import { takeLines } from '../../workspace/files/file-edit.ts'
import { eachFile, readFile } from '../../workspace/files/file-info.ts'
import { MAX_FILE_BODY_BYTES } from '../config/limits.ts'
import { type Route, route } from '../http/route.ts'
import { FileInfo } from '../http/shapes.ts'
import {
  editShared,
  moveShared,
  removeShared,
  shareBytes,
  type TextEdit,
  writeShared,
} from '../http-agents/files.ts'
import { MAX_VERSION } from '../storage/version-log.ts'
import { look, lookThrough } from './agent-request.ts'
import { at, doingIn } from './agent-route.ts'
import type { AppEnv } from './env.ts'

const by = z.string().min(1).max(MAX_NAME_BYTES).optional()
const path = z.string().min(1).max(MAX_PATH_BYTES)
const version = z.number().int().min(1).max(MAX_VERSION)
/** Refused with `file_exists` where there is a file of this path. */
const IfAbsent = z.boolean().optional()
const PutBody = z.strictObject({
  ...{ by, key: path, content: z.string(), base_version: version.optional() },
  force: z.boolean().default(false),
  if_absent: IfAbsent,
})
const line = z.number().int().min(1)
/** One line where only one is named. */
const goForward = (lines: { from_line?: number | undefined; to_line?: number | undefined }) =>
  lines.from_line === undefined || lines.to_line === undefined || lines.from_line <= lines.to_line
const BACKWARD = { path: ['to_line'], message: 'it is before from_line' }
const EditBody = z.union([
  z.strictObject({
    ...{ by, key: path, find: z.string().min(1), replace: z.string() },
    all: z.boolean().default(false),
  }),
  z
    .strictObject({
      ...{ by, key: path, from_line: line, to_line: line, with: z.string(), base_version: version },
    })
    .refine(goForward, BACKWARD),
])
const AppendBody = z.strictObject({ by, key: path, text: z.string() })
const RemoveBody = z.strictObject({
  ...{ by, key: path },
  /** Of the file as it was read: refused where others changed it since. Left out: it does not matter. */
  base_version: version.optional(),
})
const MoveBody = z.strictObject({ by, key: path, to: path, force: z.boolean().default(false) })

const FileQuery = z
  .strictObject({
    key: path,
    from_line: z.coerce.number().int().min(1).optional(),
    to_line: z.coerce.number().int().min(1).optional(),
  })
  .refine(goForward, BACKWARD)

const blob = z.string().refine(isBlobName, 'not the SHA-256 of a blob')
const BytesBody = z.strictObject({
  ...{ by, key: path, sha256: blob, size: z.number().int().min(0) },
  /** The version that was read; who has read none may make a file, and replace none without `force`. */
  base_sha256: blob.optional(),
  force: z.boolean().default(false),
  if_absent: IfAbsent,
})
const Written = z.looseObject({
  ...{ file: FileInfo, changed: z.boolean(), created: z.boolean() },
  conflicts: z.array(z.object({ from_line: z.number(), to_line: z.number(), by: z.string() })),
})

/** The shared files, for agents that have no replica. */
export const fileRoutes = (env: AppEnv): Route[] => {
  const doing = doingIn(env)
  const big = { maxBytes: MAX_FILE_BODY_BYTES }
  return [
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
    doing(
      ...([
        'PUT',
        'files/content',
        'Shares a file, or merges a change of a version into it',
      ] as const),
      ...([PutBody, Written] as const),
      (act, { by: _, ...put }) => writeShared(act, null, put),
      big,
    ),
    doing(
      ...(['POST', 'files/edit', 'Replaces a text, or lines of a version, in a file'] as const),
      ...([EditBody, Written] as const),
      (act, { by: _, key, ...edit }) => editShared(act, key, edit as TextEdit),
      big,
    ),
    doing(
      ...([
        'POST',
        'files/append',
        'Adds lines at the end of a file, made where there is none',
      ] as const),
      ...([AppendBody, Written] as const),
      (act, { key, text }) => editShared(act, key, { append: text }),
      big,
    ),
    doing(
      ...(['POST', 'files/remove', 'Removes a file'] as const),
      ...([RemoveBody, z.object({ removed: z.string() })] as const),
      (act, { key, base_version }) => removeShared(act, key, base_version ?? null),
    ),
    doing(
      ...(['POST', 'files/move', 'Gives a file another path'] as const),
      ...([MoveBody, z.object({ file: FileInfo, moved_from: z.string() })] as const),
      (act, { key, to, force }) => moveShared(act, key, to, force),
    ),
    doing(
      ...(['PUT', 'files/bytes', 'Makes a blob that is here a version of a file'] as const),
      ...([BytesBody, z.looseObject({ file: FileInfo, changed: z.boolean() })] as const),
      (act, { by: _, ...bytes }) => shareBytes(act, bytes),
    ),
  ]
}
