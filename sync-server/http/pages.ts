import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync, constants, gunzipSync } from 'node:zlib'
import type { HttpContext } from './context.ts'

/** The files of the page are beside the server's own, gzipped, with this prefix: scripts/build-page.mjs. */
export const PAGE_PREFIX = 'page-'

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  json: 'application/manifest+json',
}

/** No inline script or style, no other host, no frame; scripts get no text to run, but the address of the service worker. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "manifest-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  'trusted-types clawlink',
].join('; ')

interface File {
  gzip: Buffer
  type: string
  etag: string
}

/** The files of the web page, in memory. */
export class Pages {
  readonly #files = new Map<string, File>()
  readonly #brotli = new Map<string, Buffer>()

  /** `dir`: the folder of the programs. Without files of the page there is none: browsers get JSON. */
  constructor(dir: string = __dirname) {
    for (const name of readdirSync(dir)) {
      if (!name.startsWith(PAGE_PREFIX) || !name.endsWith('.gz')) continue
      const gzip = readFileSync(join(dir, name))
      const own = name.slice(PAGE_PREFIX.length, -'.gz'.length)
      const type = TYPES[own.slice(own.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
      const etag = `"${createHash('sha256').update(gzip).digest('base64url').slice(0, 22)}"`
      this.#files.set(own, { gzip, type, etag })
    }
  }

  /** True for a browser that opens a page, where there is one. */
  isWanted(c: HttpContext): boolean {
    const accepts = c.req.header('accept') ?? ''
    return this.#files.has('index.html') && /\btext\/html\b/.test(accepts)
  }

  /** The answer with a file of the page; null: there is none of this name. */
  answer(c: HttpContext, name: string): Response | null {
    const file = this.#files.get(name)
    if (file === undefined) return null
    // Names of files with a hash never get another content.
    const isFixed = /-[A-Z0-9]{8}\.\w+$/.test(name)
    const headers = {
      'content-type': file.type,
      'cache-control': isFixed ? 'public, max-age=31536000, immutable' : 'no-cache',
      vary: 'accept, accept-encoding',
      etag: file.etag,
      'content-security-policy': POLICY,
    }
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304, headers)
    const accepted = c.req.header('accept-encoding') ?? ''
    if (/\bbr\b/.test(accepted)) {
      return c.body(this.#brotliOf(name, file), 200, { ...headers, 'content-encoding': 'br' })
    }
    if (/\bgzip\b/.test(accepted)) {
      return c.body(new Uint8Array(file.gzip), 200, { ...headers, 'content-encoding': 'gzip' })
    }
    return c.body(gunzipSync(file.gzip), 200, headers)
  }

  #brotliOf(name: string, { gzip }: File): Uint8Array<ArrayBuffer> {
    const known = this.#brotli.get(name) ?? brotliCompressSync(gunzipSync(gzip), { params: QUICK })
    this.#brotli.set(name, known)
    return new Uint8Array(known)
  }
}

/** As small as gzip's best, in a fraction of brotli's time. */
const QUICK = { [constants.BROTLI_PARAM_QUALITY]: 6 }
