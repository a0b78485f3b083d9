// A registry's read side (OCI distribution): manifests by tag or digest, blobs by digest, all
// verified. Our own, since npm's clients are unmaintained, buffer whole blobs, follow any realm and
// give any host the credential. It reads one repository and writes nothing.

import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { DIGEST } from '../../shared/image-index.ts'
import { authorize } from './authorize.ts'
import { parseChallenge } from './challenge.ts'
import type { Credential } from './docker-config.ts'
import { readBody, sendAndFollow, shownUrl, type Http } from './http.ts'
import { ImageError } from './image-error.ts'
import type { Keeper } from './keeper.ts'
import { MANIFEST_TYPES } from './manifest.ts'
import type { Access } from './registries.ts'

const MAX_ERROR_BYTES = 64 * 1024

export interface Descriptor {
  readonly digest: string
  readonly size: number
}

export interface Manifest {
  readonly text: string
  readonly digest: string
  /** The answer's Content-Type, without parameters. */
  readonly mediaType: string
}

export interface Repository {
  /** A manifest or index by tag or digest. */
  manifest(tagOrDigest: string): Promise<Manifest>
  /** The digest that a tag has now; undefined where the registry does not say. */
  digestOf(tag: string): Promise<string | undefined>
  /** A blob as it streams; it throws at its end where it is not what the descriptor says. */
  blob(descriptor: Descriptor): AsyncGenerator<Uint8Array>
}

export interface RepositoryOptions {
  readonly access: Access
  readonly http: Http
  readonly credential: () => Promise<Credential | undefined>
  /** Without the mirror's prefix. */
  readonly repository: string
  readonly maxDocumentBytes: number
  readonly keeper: Keeper
}

const digestOf = (bytes: Uint8Array): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`

const errorsSchema = z.object({
  errors: z.array(z.object({ code: z.string().regex(/^[A-Z_]{1,40}$/) })).max(20),
})

/** The registry's own code, `MANIFEST_UNKNOWN`; its words are not ours to repeat. */
const codeIn = (text: string): string => {
  try {
    const code = errorsSchema.safeParse(JSON.parse(text)).data?.errors[0]?.code
    return code === undefined ? '' : `, ${code}`
  } catch {
    return ''
  }
}

const MEANINGS = new Map([
  [403, 'the credential may not read it'],
  [404, 'there is none, or it is hidden from this credential'],
  [429, 'too many requests: try later, or with a credential'],
])

const refusal = async (
  answer: IncomingMessage,
  url: URL,
  { name }: Keeper,
): Promise<ImageError> => {
  const status = answer.statusCode ?? 0
  const body = await readBody(answer, MAX_ERROR_BYTES).catch(() => Buffer.alloc(0))
  const meaning =
    status === 401 ? `it wants another credential than ${name} has for it` : MEANINGS.get(status)
  return new ImageError(
    `${shownUrl(url)}: status ${status}${codeIn(body.toString('utf8'))}${meaning === undefined ? '' : `: ${meaning}`}`,
  )
}

async function* verified(
  answer: AsyncIterable<Uint8Array>,
  { digest, size }: Descriptor,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256')
  let length = 0
  for await (const chunk of answer) {
    length += chunk.length
    if (length > size) break
    hash.update(chunk)
    yield chunk
  }
  if (length !== size) {
    const how = length > size ? 'is longer' : 'ends early'
    throw new ImageError(`the blob ${digest} ${how}: its manifest says ${size} bytes`)
  }
  const found = `sha256:${hash.digest('hex')}`
  if (found !== digest) throw new ImageError(`the blob ${digest} has another digest: ${found}`)
}

/** The repository, read by whoever asks; one authorization serves all its requests. */
export const openRepository = (options: RepositoryOptions): Repository => {
  const { access, http, maxDocumentBytes } = options
  const repository = access.prefix + options.repository
  let authorization: string | undefined

  const ask = async (
    path: string,
    method: 'GET' | 'HEAD',
    accept: string,
  ): Promise<IncomingMessage> => {
    const url = new URL(`/v2/${repository}/${path}`, access.base)
    const send = (): Promise<IncomingMessage> => {
      const headers = { accept, 'accept-encoding': 'identity', 'user-agent': 'outrigger' }
      const own = authorization === undefined ? headers : { ...headers, authorization }
      return sendAndFollow(http, { url, method, headers: own }, access.allowPlainHttp)
    }
    let answer = await send()
    if (answer.statusCode === 401) {
      answer.destroy()
      const challenge = parseChallenge(answer.headers['www-authenticate'] ?? '')
      authorization = await authorize(challenge, { ...options, repository })
      answer = await send()
    }
    if (answer.statusCode !== 200) throw await refusal(answer, url, options.keeper)
    return answer
  }

  const manifest = async (tagOrDigest: string): Promise<Manifest> => {
    const answer = await ask(`manifests/${tagOrDigest}`, 'GET', MANIFEST_TYPES.join(', '))
    const bytes = await readBody(answer, maxDocumentBytes)
    const digest = digestOf(bytes)
    const told = answer.headers['docker-content-digest']
    const wanted = tagOrDigest.startsWith('sha256:') ? tagOrDigest : told
    if (wanted !== undefined && wanted !== digest) {
      throw new ImageError(`the manifest ${tagOrDigest} has another digest: ${digest}`)
    }
    const [mediaType = ''] = (answer.headers['content-type'] ?? '').split(';')
    return { text: bytes.toString('utf8'), digest, mediaType: mediaType.trim().toLowerCase() }
  }

  async function* blob(descriptor: Descriptor): AsyncGenerator<Uint8Array> {
    const answer = await ask(`blobs/${descriptor.digest}`, 'GET', '*/*')
    try {
      yield* verified(answer, descriptor)
    } finally {
      answer.destroy()
    }
  }

  return {
    manifest,
    blob,
    digestOf: async (tag) => {
      const answer = await ask(`manifests/${tag}`, 'HEAD', MANIFEST_TYPES.join(', '))
      answer.destroy()
      const told = answer.headers['docker-content-digest']
      return typeof told === 'string' && DIGEST.test(told) ? told : undefined
    },
  }
}
