import { liveDoc, stockClient } from '../client.ts'
import { startServer } from '../server.ts'

/**
 * A client edits; the moment another one has the edit, the server is killed with -9, and started again on its data; this
 * so many times. Returns the edits that a third client does not find then (count).
 */
export const lostSights = async (data: string, kills: number): Promise<number> => {
  let lost = 0
  let server = await startServer({ data })
  for (let kill = 0; kill < kills; kill++) {
    const writer = await liveDoc(`${server.sync}/w`)
    const reader = await liveDoc(`${server.sync}/w`)
    const saw = new Promise<void>((resolve) => reader.doc.once('update', () => resolve()))
    writer.doc.getMap('m').set(`k${kill}`, kill)
    await saw
    await server.kill()
    server = await startServer({ data })
    const third = stockClient(server.sync, 'w')
    await third.synced
    if (third.doc.getMap('m').get(`k${kill}`) !== kill) lost++
    third.close()
    for (const { client } of [writer, reader]) client.ws.terminate()
  }
  await server.stop()
  return lost
}
