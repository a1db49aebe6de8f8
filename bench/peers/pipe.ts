import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** Pipes connections to the port of its argument, as bytes: the least that forwarding costs with Node's sockets. */
const port = Number(process.argv[2])

const server = createServer((client) => {
  const onward = connect({ host: '127.0.0.1', port, noDelay: true })
  client.setNoDelay(true)
  client.pipe(onward).pipe(client)
  const breaks = (from: Socket, to: Socket): void => {
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy())
  }
  breaks(client, onward)
  breaks(onward, client)
})
server.listen(0, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
})
