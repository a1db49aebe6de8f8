/** The resource of a URI. */
export type Named = { kind: 'prime' } | { kind: 'task'; id: string } | { kind: 'file'; key: string }

export const PRIME_URI = 'clawlink://prime'
export const TASK_TEMPLATE = 'clawlink://task/{id}'
export const FILE_TEMPLATE = 'clawlink://file/{+key}'

export const taskUri = (id: string): string => `clawlink://task/${encodeURIComponent(id)}`
/** The slashes of a key stay: hosts show it as a path. */
export const fileUri = (key: string): string =>
  `clawlink://file/${key.split('/').map(encodeURIComponent).join('/')}`

/** Null for a URI that names no resource of ClawLink. */
export const parseUri = (uri: string): Named | null => {
  if (uri === PRIME_URI) return { kind: 'prime' }
  const [, kind, rest] = /^clawlink:\/\/(task|file)\/(.+)$/s.exec(uri) ?? []
  if (kind === undefined) return null
  try {
    const name = decodeURIComponent(rest!)
    return kind === 'task' ? { kind, id: name } : { kind: 'file', key: name }
  } catch {
    return null // a lone percent sign
  }
}
