import { Database } from '@hocuspocus/extension-database'
import { Server } from '@hocuspocus/server'
import { Level } from 'level'

/** Its own store on, as its guide shows it: the whole document on every debounced save. All else is default. */
const db = new Level<string, Uint8Array>(process.argv[2]!, { valueEncoding: 'view' })

const server = new Server({
  address: '127.0.0.1',
  port: 0,
  quiet: true,
  extensions: [
    new Database({
      fetch: async ({ documentName }) => (await db.get(documentName)) ?? null,
      store: ({ documentName, state }) => db.put(documentName, state),
    }),
  ],
  onDestroy: () => db.close(),
})

await server.listen()
console.log(`http://127.0.0.1:${server.address.port}`)
