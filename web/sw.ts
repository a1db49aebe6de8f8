/** The service worker: the page's files are there without the server. Data are not: the page has its own copy. */
declare const FILES: readonly string[]
declare const VERSION: string

const worker = self as unknown as ServiceWorkerGlobalScope
/** Without this header the address answers programs. */
const PAGE = new Request('./', { headers: { accept: 'text/html' } })
const CACHE = `clawlink-${VERSION}`

worker.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll([PAGE, ...FILES.map((name) => `./app/${name}`)]))
      .then(() => worker.skipWaiting()),
  )
})

worker.addEventListener('activate', (event) => {
  const old = async () => {
    for (const name of await caches.keys()) {
      if (name.startsWith('clawlink-') && name !== CACHE) await caches.delete(name)
    }
    await worker.clients.claim()
  }
  event.waitUntil(old())
})

worker.addEventListener('fetch', (event) => {
  const { request } = event
  const isFile = new URL(request.url).pathname.includes('/app/')
  if (request.method !== 'GET' || (request.mode !== 'navigate' && !isFile)) return
  const answer = async () => {
    // A file with a hash never changes; the page itself comes from the server where there is one.
    const kept = await caches.match(isFile ? request : './', { ignoreVary: true })
    if (isFile && kept !== undefined) return kept
    return fetch(request).catch((error) => {
      if (kept === undefined) throw error
      return kept
    })
  }
  event.respondWith(answer())
})
