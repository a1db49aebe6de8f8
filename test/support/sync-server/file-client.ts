import type * as Y from 'yjs'
import type { FileLogPage } from '../../../client/http/api.ts'
import type { AgentId, FileId } from '../../../protocol/ids.ts'
import { textOf } from '../../../workspace/document/schema.ts'
import { versionOf } from '../../../workspace/files/edit-counts.ts'
import { readFile } from '../../../workspace/files/file-info.ts'
import type { FileVersion } from '../../../workspace/files/file-state.ts'
import { putFile } from '../../../workspace/files/put-file.ts'
import { findLeaf } from '../../../workspace/files/tree.ts'
import { liveDoc } from '../client.ts'
import { fetch } from '../server.ts'

/** A writer of files: a live document, and an agent's id. */
export const fileClient = async (url: string, name: string, doc?: Y.Doc) => {
  const live = await liveDoc(url, doc)
  const by = `a-${name}` as AgentId
  return {
    ...live,
    by,
    put: (
      key: string,
      content: string,
      base = findLeaf(live.doc, key) === null ? null : readFile(live.doc, key).content,
    ) => putFile(live.doc, { key, content, base, by, now: Date.now(), force: true }),
  }
}

export const readText = (doc: Y.Doc, id: string): string => textOf(doc, id as FileId).toJSON()
export const readVersionOf = (doc: Y.Doc, id: string): number => versionOf(doc, id as FileId)

/** Asks the files API of a workspace; the answer's body, whatever its status. */
export const askFiles = async <T>(
  server: { url: string },
  workspace: string,
  what: 'log' | 'version',
  query: Record<string, string | number>,
): Promise<{ status: number; data?: T; error?: { code: string; message: string } }> => {
  const parameters = Object.entries(query).map(([name, value]): [string, string] => [
    name,
    String(value),
  ])
  const path = `/api/workspaces/${workspace}/files/${what}?${new URLSearchParams(parameters)}`
  const answer = await fetch(server.url + path)
  return { status: answer.status, ...((await answer.json()) as object) }
}

/** All kept versions of a file, newest first, page by page. */
export const fileLog = async (
  server: { url: string },
  workspace: string,
  key: string,
  limit = 500,
): Promise<FileVersion[]> => {
  const all: FileVersion[] = []
  for (;;) {
    const before = all.at(-1)?.version
    const query = { key, limit, ...(before !== undefined && { before }) }
    const { data, error } = await askFiles<FileLogPage>(server, workspace, 'log', query)
    if (data === undefined) throw new Error(JSON.stringify(error))
    all.push(...data.versions)
    if (!data.more) return all
  }
}

/** The content of one version. */
export const contentOf = async (
  server: { url: string },
  workspace: string,
  key: string,
  version: number,
): Promise<string> => {
  const query = { key, version }
  const { data, error } = await askFiles<{ version: { content: string } }>(
    server,
    workspace,
    'version',
    query,
  )
  if (data === undefined) throw new Error(JSON.stringify(error))
  return data.version.content
}
