// A request of which only the head is sent, as it stands here: whoever is refused by it alone has made nobody read a body.

import { once } from 'node:events'
import { connect } from 'node:net'

export interface Refusal {
  readonly status: number
  /** The value of WWW-Authenticate, or nothing. */
  readonly challenge: string
  readonly body: string
  /** Everything that came back. */
  readonly text: string
}

/** A POST that announces a body, asks whether to send it, and never does. */
export const knock = async (
  url: string,
  lines: readonly string[],
  query = '',
): Promise<Refusal> => {
  const { hostname, host, port, pathname } = new URL(url)
  const socket = connect(Number(port), hostname)
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  const own = lines.some((line) => /^host:/i.test(line)) ? [] : [`Host: ${host}`]
  const head = [
    `POST ${pathname}${query} HTTP/1.1`,
    ...own,
    'Content-Type: application/json',
    'Accept: application/json, text/event-stream',
    'Content-Length: 1000000',
    'Expect: 100-continue',
    ...lines,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n`, 'latin1')
  await once(socket, 'close')
  const text = Buffer.concat(chunks).toString('latin1')
  const [top = '', ...rest] = text.split('\r\n\r\n')
  return {
    status: Number(/^HTTP\/1\.1 (\d+)/.exec(top)?.[1]),
    challenge: /^www-authenticate: (.*)$/im.exec(top)?.[1]?.trim() ?? '',
    body: rest.join('\r\n\r\n'),
    text,
  }
}
