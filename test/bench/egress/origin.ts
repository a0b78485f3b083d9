// What is reached: answers any request line of `GET /BYTES` with so many, once a connection. Says its port.

import { createServer, type AddressInfo } from 'node:net'

const PIECE = Buffer.alloc(1 << 18, 'x')

const server = createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => undefined)
  socket.once('data', (head) => {
    let left = Number(/^GET \/(\d+)/.exec(head.toString('latin1'))?.[1] ?? 0)
    const more = (): void => {
      while (left > 0) {
        const size = Math.min(left, PIECE.length)
        left -= size
        if (!socket.write(PIECE.subarray(0, size))) return
      }
      socket.end()
    }
    socket.on('drain', more)
    more()
  })
})
server.listen(0, '127.0.0.1', () => {
  const address: AddressInfo | string | null = server.address()
  if (address !== null && typeof address === 'object')
    process.stdout.write(`ready ${address.port}\n`)
})
