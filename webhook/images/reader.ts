// Reads images from the registries that the configuration lists: one connection a registry, opened
// when it is first asked. Whoever creates it closes it.

import type { ImageIndex } from '../../shared/image-index.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Credential } from './docker-config.ts'
import { createHttp, type Http } from './http.ts'
import { readImage } from './read-image.ts'
import type { Reference } from './reference.ts'
import { accessTo, type Access, type Registries } from './registries.ts'
import type { Keeper } from './keeper.ts'
import { reachOf } from './reach.ts'
import type { ReadLimits } from './read-limits.ts'
import { openRepository, type Repository } from './registry.ts'

export interface ReaderOptions {
  readonly registries: Registries
  /** The credential filed under a registry's host; asked for only when that registry wants one. */
  readonly credential: (host: string) => Promise<Credential | undefined>
  readonly keeper: Keeper
  /** Reads a CA file (PEM). */
  readonly readCa: (file: string) => Promise<string>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly signal: AbortSignal
  readonly limits: ReadLimits
  /** Others name the images: registries lead nowhere but to addresses that such a program may ask, and no proxy is used. */
  readonly isGuarded: boolean
}

export interface Reader {
  /** What the index is to record; `platforms` as `linux/amd64`, none means all. */
  read(reference: Reference, platforms: readonly string[]): Promise<Result<ImageIndex, string>>
  /** The digest that a tag has now, without reading more; undefined where the registry does not say. */
  digestOf(reference: Reference): Promise<Result<string | undefined, string>>
  close(): void
}

/** Resolves with why once the signal is given; what waits for something else does not see it. */
const endOf = (signal: AbortSignal): Promise<Result<never, string>> =>
  new Promise((resolve) => {
    const end = (): void => resolve(fail(messageOf(signal.reason)))
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })

export const createReader = (options: ReaderOptions): Reader => {
  const connections = new Map<string, Http>()

  const connect = async (access: Access): Promise<Http> => {
    const { host, caFile } = access
    const open = connections.get(host)
    if (open) return open
    const { environment, signal, readCa, isGuarded } = options
    const ca = caFile === undefined ? undefined : await readCa(caFile)
    const reach = isGuarded ? reachOf(access) : undefined
    const http = createHttp({ ca, environment: isGuarded ? {} : environment, signal, reach })
    connections.set(host, http)
    return http
  }

  const open = async ({ host, repository }: Reference): Promise<Result<Repository, string>> => {
    const access = accessTo(host, options.registries)
    if (!access.ok) return access
    try {
      const http = await connect(access.value)
      const credential = () => options.credential(access.value.host)
      const { documentBytes: maxDocumentBytes } = options.limits
      const { keeper } = options
      const of = { access: access.value, http, credential, keeper, repository, maxDocumentBytes }
      return ok(openRepository(of))
    } catch (error) {
      return fail(`registries: ${host}: caFile cannot be read: ${messageOf(error)}`)
    }
  }

  const read: Reader['read'] = async (reference, platforms) => {
    const repository = await open(reference)
    const { limits } = options
    return repository.ok
      ? readImage(reference, { repository: repository.value, platforms, limits })
      : repository
  }

  const digestOf: Reader['digestOf'] = async (reference) => {
    const repository = await open(reference)
    if (!repository.ok) return repository
    try {
      return ok(await repository.value.digestOf(reference.tag ?? 'latest'))
    } catch (error) {
      return fail(messageOf(error))
    }
  }

  const end = endOf(options.signal)
  return {
    read: (...asked) => Promise.race([read(...asked), end]),
    digestOf: (...asked) => Promise.race([digestOf(...asked), end]),
    close: () => {
      for (const http of connections.values()) http.close()
    },
  }
}
