// A reverse proxy as people have it before their servers (Debian's haproxy): TLS to the clients, under a name and a path of
// its own, and TLS on to the server, whose certificate it verifies.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { freePort } from './free-port.ts'
import { anAuthority, issue } from './certificates.ts'
import { startProgram } from './running.ts'

const HAPROXY = '/usr/sbin/haproxy'

export interface TlsProxy {
  /** By which clients know the server. */
  readonly url: string
  /** What the server is to show: a certificate for loopback, and its key. */
  readonly certFile: string
  readonly keyFile: string
  /** As clients that trust the proxy's authority, and find it by its name. */
  readonly fetch: (url: string | URL, init?: RequestInit) => Promise<Response>
  /** Begins to serve what listens on a port of loopback, there at `/mcp`. */
  readonly start: (port: number) => Promise<void>
  readonly stop: () => Promise<void>
}

const configuration = (port: number, path: string, server: number, folder: string): string => `
global
  maxconn 256
defaults
  mode http
  timeout connect 10s
  timeout client 120s
  timeout server 120s
frontend clients
  bind 127.0.0.1:${port} ssl crt ${join(folder, 'front.pem')} alpn http/1.1
  http-request replace-path ^${path}$ /mcp
  default_backend sidecar
backend sidecar
  server one 127.0.0.1:${server} ssl verify required verifyhost localhost ca-file ${join(folder, 'ca.pem')}
`

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })

const asked = (url: URL, { method = 'GET', headers, body, signal }: RequestInit, ca: string) =>
  new Promise<Response>((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: url.port,
        servername: url.hostname,
        path: url.pathname + url.search,
        method,
        ca,
        headers: { host: url.host, ...Object.fromEntries(new Headers(headers)) },
        ...(signal ? { signal } : {}),
      },
      (answer) => {
        const status = answer.statusCode ?? 0
        const pairs = Object.entries(answer.headers).flatMap(([name, value]): [string, string][] =>
          value === undefined ? [] : [[name, String(value)]],
        )
        const isEmpty = status === 204 || status === 304
        if (isEmpty) answer.resume()
        const stream = isEmpty ? null : Readable.toWeb(answer)
        resolve(new Response(stream, { status, headers: pairs }))
      },
    )
    sent.on('error', reject)
    sent.end(typeof body === 'string' || body instanceof URLSearchParams ? String(body) : undefined)
  })

export const tlsProxy = async (name: string, path: string): Promise<TlsProxy> => {
  const folder = mkdtempSync(join(tmpdir(), 'outrigger-proxy-'))
  const put = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text)
    return join(folder, file)
  }
  const authority = anAuthority()
  const front = issue({ commonName: name, names: [name], by: authority })
  const own = issue({ commonName: 'localhost', names: ['localhost'], by: authority })
  const port = await freePort()
  put('front.pem', front.cert + front.key)
  put('ca.pem', authority.cert)
  let stopProxy = async (): Promise<void> => undefined
  return {
    url: `https://${name}:${port}${path}`,
    certFile: put('tls.crt', own.cert),
    keyFile: put('tls.key', own.key),
    fetch: (url, init = {}) => {
      const target = new URL(url)
      return target.hostname === name ? asked(target, init, authority.cert) : fetch(target, init)
    },
    start: async (server) => {
      const file = put('haproxy.cfg', configuration(port, path, server, folder))
      const running = await startProgram({
        command: HAPROXY,
        args: ['-db', '-f', file],
        ready: () => isListening(port),
      })
      stopProxy = running.stop
    },
    stop: async () => {
      await stopProxy()
      rmSync(folder, { recursive: true })
    },
  }
}
