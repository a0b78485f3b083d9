// HTTP over TLS, where a next request may come while an answer is still being written. Node pauses its parser at the head of
// such a request, but TLS goes on handing it the records that have come already, where it reads at the socket's core: it takes
// them for an error, and the connection is reset under a request. Whoever listens to the socket's data keeps it from there.

import type { TLSSocket } from 'node:tls'

const ignore = (): void => undefined

/** Once HTTP has been given the connection. */
export const letParserPause = (socket: TLSSocket): void => {
  socket.on('data', ignore)
}
