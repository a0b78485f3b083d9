// Debian's docker-registry on loopback, filled by HTTP as `docker push` does, and a front before it
// that a test may make do anything.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { once } from 'node:events'
import { stringify } from 'yaml'
import { freePort } from './free-port.ts'
import { digestOf, type Blob, type Built } from './oci-image.ts'
import { startProgram } from './running.ts'
import { listening } from './listening.ts'

export interface Registry {
  /** `127.0.0.1:PORT` */
  readonly host: string
  readonly port: number
  /** Pushes an image, under a tag; its digest. */
  push(repository: string, tag: string, image: Built): Promise<string>
  stop(): Promise<void>
}

/** The one user of a private registry; the hash is bcrypt's, as the registry wants it. */
export const LOGIN = { username: 'reader', password: 's3cret-pass' } as const
const HTPASSWD = 'reader:$2y$05$abcdefghijklmnopqrstuuV7fpPozvyqJfnY19y0802WTlXUm6Rjy\n'

export const basicOf = ({ username, password }: { username: string; password: string }): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

const answers = async (url: string): Promise<boolean> => {
  try {
    return [200, 401].includes((await fetch(url)).status)
  } catch {
    return false
  }
}

export const startRegistry = async ({ isPrivate = false } = {}): Promise<Registry> => {
  const directory = mkdtempSync(join(tmpdir(), 'outrigger-registry-'))
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  const htpasswd = join(directory, 'htpasswd')
  writeFileSync(htpasswd, HTPASSWD)
  const file = join(directory, 'config.yml')
  writeFileSync(
    file,
    stringify({
      version: 0.1,
      log: { level: 'error', accesslog: { disabled: true } },
      storage: { filesystem: { rootdirectory: join(directory, 'data') } },
      http: { addr: host },
      ...(isPrivate ? { auth: { htpasswd: { realm: 'test', path: htpasswd } } } : {}),
    }),
  )
  const running = await startProgram({
    command: 'docker-registry',
    args: ['serve', file],
    env: { OTEL_TRACES_EXPORTER: 'none' },
    ready: () => answers(`http://${host}/v2/`),
  })

  const send = async (path: string, method: string, blob?: Blob): Promise<Response> => {
    const authorization = isPrivate ? { authorization: basicOf(LOGIN) } : {}
    const type = blob ? { 'content-type': blob.mediaType } : {}
    const body = blob ? { body: new Uint8Array(blob.bytes) } : {}
    const url = new URL(path, `http://${host}`)
    const response = await fetch(url, { method, headers: { ...authorization, ...type }, ...body })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
    return response
  }

  const pushBlob = async (repository: string, blob: Blob): Promise<void> => {
    const started = await send(`/v2/${repository}/blobs/uploads/`, 'POST')
    const place = new URL(started.headers.get('location') ?? '', `http://${host}`)
    place.searchParams.set('digest', digestOf(blob.bytes))
    const octets = { mediaType: 'application/octet-stream', bytes: blob.bytes }
    await send(place.pathname + place.search, 'PUT', octets)
  }

  return {
    host,
    port,
    push: async (repository, tag, { manifest, blobs, manifests }) => {
      for (const blob of blobs) await pushBlob(repository, blob)
      for (const part of manifests) {
        await send(`/v2/${repository}/manifests/${digestOf(part.bytes)}`, 'PUT', part)
      }
      await send(`/v2/${repository}/manifests/${tag}`, 'PUT', manifest)
      return digestOf(manifest.bytes)
    },
    stop: async () => {
      running.kill()
      await running.stop()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

export interface Seen {
  readonly method: string
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
}

export interface Front {
  readonly host: string
  /** Every request, in order. */
  readonly seen: readonly Seen[]
  stop(): Promise<void>
}

type Answer = (seen: Seen, response: ServerResponse, pass: () => void) => void

const textOf = async (message: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString()
}

/** A server that answers as a test says, or passes a request on to the registry, without its Authorization. */
export const startFront = async (answer: Answer, behind?: Registry): Promise<Front> => {
  const seen: Seen[] = []
  const take = async (message: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', url = '', headers } = message
    const one = { method, url, authorization: headers.authorization, body: await textOf(message) }
    seen.push(one)
    answer(one, response, () => {
      const { accept = '*/*' } = headers
      const to = { host: '127.0.0.1', port: behind?.port, path: url, method, headers: { accept } }
      const passed = request(to, (from) => {
        response.writeHead(from.statusCode ?? 502, from.headers)
        from.pipe(response)
      })
      passed.on('error', () => response.destroy())
      passed.end()
    })
  }
  const server = createServer((message, response) => void take(message, response))
  const port = await listening(server)
  return {
    host: `127.0.0.1:${port}`,
    seen,
    stop: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
