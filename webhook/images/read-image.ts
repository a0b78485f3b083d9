// An image as its registry has it: from a reference to what the image index records of it. For a
// USER that is a name, its layers are read from the top down until the image's own /etc/passwd has
// been found. Bounded in bytes and by its caller's signal; anything wrong is a sentence.

import {
  DIGEST,
  type ImageIndex,
  type ImageRecord,
  type ImageUser,
} from '../../shared/image-index.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { ImageError } from './image-error.ts'
import { readLayer } from './layer.ts'
import { layerFault, readConfig, readDocument, type ImageManifest, type Layer } from './manifest.ts'
import { tagKey, type Reference } from './reference.ts'
import type { ReadLimits } from './read-limits.ts'
import type { Repository } from './registry.ts'
import { findFile, prefixesOf, type LayerView } from './tree.ts'
import { needsFiles, parseUser, resolveUser } from './user.ts'

const PASSWD = 'etc/passwd'
const GROUP = 'etc/group'

/** How often a link may lead to a path that the layers were not read for. */
const MAX_PASSES = 8

const orThrow = <T>(result: Result<T, string>): T => {
  if (!result.ok) throw new ImageError(result.error)
  return result.value
}

/** Where an image is read, and how much of it. */
type Source = Pick<ReadOptions, 'repository' | 'limits'>

const readText = async (
  { repository, limits: { documentBytes } }: Source,
  { digest, size }: Layer,
): Promise<string> => {
  if (size > documentBytes) {
    throw new ImageError(`its configuration exceeds ${documentBytes} bytes`)
  }
  const chunks: Uint8Array[] = []
  for await (const chunk of repository.blob({ digest, size })) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** Files of the largest size that are held at once: of each layer those that links lead to. */
const HELD_FILES = 16

const heldIn = (views: readonly LayerView[]): number =>
  views
    .flatMap(({ entries }) => [...entries.values()])
    .reduce((all, entry) => all + (entry.type === 'file' ? entry.content.length : 0), 0)

/** The layers of one image, read when they are needed, the uppermost first. */
class Layers {
  private readonly source: Source
  private readonly layers: readonly Layer[]
  private readonly wanted = new Set<string>()
  private views: LayerView[] = []
  private compressedBytes = 0

  constructor(source: Source, layers: readonly Layer[]) {
    this.source = source
    this.layers = layers.toReversed()
  }

  /** A file's text; undefined where the image has none at that path. */
  async read(path: string): Promise<string | undefined> {
    let passes = 0
    this.want(path)
    while (true) {
      const { views: layers, wanted } = this
      const isWhole = layers.length === this.layers.length
      const found = findFile({ layers, isWhole, wanted }, path)
      if (found.kind === 'file') return Buffer.from(found.content).toString('utf8')
      if (found.kind === 'missing') return undefined
      if (found.kind === 'deeper') await this.readNext()
      else {
        passes += 1
        if (passes > MAX_PASSES) throw new ImageError(`/${path} is behind too many links`)
        this.want(found.path)
      }
    }
  }

  /** What was read before says nothing of a new path. */
  private want(path: string): void {
    for (const prefix of prefixesOf(path)) {
      if (!this.wanted.has(prefix)) this.views = []
      this.wanted.add(prefix)
    }
  }

  private async readNext(): Promise<void> {
    const layer = this.layers[this.views.length]
    if (!layer) throw new ImageError('it has no more layers')
    const fault = layerFault(layer)
    if (fault !== undefined) throw new ImageError(fault)
    const { repository, limits } = this.source
    this.compressedBytes += layer.size
    if (this.compressedBytes > limits.compressedBytes) {
      throw new ImageError(`its layers exceed ${limits.compressedBytes} bytes`)
    }
    const options = { wanted: this.wanted, limits }
    try {
      const view = await readLayer(repository.blob(layer), options)
      this.views = [...this.views, view]
      if (heldIn(this.views) > HELD_FILES * limits.fileBytes) {
        throw new ImageError(`its files exceed ${HELD_FILES * limits.fileBytes} bytes together`)
      }
    } catch (error) {
      if (error instanceof ImageError) throw error
      throw new ImageError(`the layer ${layer.digest} cannot be read: ${messageOf(error)}`)
    }
  }
}

const readUser = async (
  text: string,
  source: Source,
  manifest: ImageManifest,
): Promise<ImageUser> => {
  const spec = orThrow(parseUser(text))
  if (!needsFiles(spec)) return resolveUser(spec, { passwd: undefined, group: undefined })
  const layers = new Layers(source, manifest.layers)
  const passwd = await layers.read(PASSWD)
  const group = typeof spec.group === 'string' ? await layers.read(GROUP) : undefined
  return resolveUser(spec, { passwd, group })
}

const readRecord = async (
  source: Source,
  manifest: ImageManifest,
): Promise<readonly [platform: string, record: ImageRecord]> => {
  const config = orThrow(readConfig(await readText(source, manifest.config)))
  const { platform, entrypoint, cmd } = config
  const user = await readUser(config.user, source, manifest)
  return [platform, { entrypoint, cmd, user }]
}

/** Whether a platform is one of those asked for; none means all. */
const isAsked = (platform: string, asked: readonly string[]): boolean =>
  asked.length === 0 || asked.some((wanted) => `${platform}/`.startsWith(`${wanted}/`))

const readPlatform = async (
  source: Source,
  platform: string,
  digest: string,
): Promise<ImageRecord> => {
  const { text, mediaType } = await source.repository.manifest(digest)
  const document = orThrow(readDocument(text, mediaType))
  if (document.kind !== 'image') throw new ImageError('its index names another index')
  const [found, record] = await readRecord(source, document.manifest)
  // The variant stands in the index alone, often.
  if (!`${platform}/`.startsWith(`${found.split('/').slice(0, 2).join('/')}/`)) {
    throw new ImageError(`its index says ${platform}, and its configuration ${found}`)
  }
  return record
}

const readPlatforms = async (
  source: ReadOptions,
  asked: string,
): Promise<readonly [digest: string, Record<string, ImageRecord>]> => {
  const { repository, platforms } = source
  const { text, mediaType, digest } = await repository.manifest(asked)
  const document = orThrow(readDocument(text, mediaType))
  const records: Record<string, ImageRecord> = {}
  if (document.kind === 'image') {
    const [platform, record] = await readRecord(source, document.manifest)
    if (isAsked(platform, platforms)) records[platform] = record
  } else {
    for (const [platform, image] of document.platforms) {
      if (!isAsked(platform, platforms)) continue
      records[platform] = await readPlatform(source, platform, image)
    }
  }
  if (Object.keys(records).length === 0) {
    throw new ImageError(`it has no image for ${platforms.join(', ')}`)
  }
  return [digest, records]
}

export interface ReadOptions {
  readonly repository: Repository
  /** Of a multi-arch image, only these, `linux/amd64`; none means all. */
  readonly platforms: readonly string[]
  readonly limits: ReadLimits
}

/** What the index is to record of an image; the error says what is wrong with it. */
export const readImage = async (
  reference: Reference,
  options: ReadOptions,
): Promise<Result<ImageIndex, string>> => {
  const asked = reference.digest ?? reference.tag ?? 'latest'
  try {
    const [digest, records] = await readPlatforms(options, asked)
    if (!DIGEST.test(digest)) return fail('its digest is not a sha256 digest')
    const key = tagKey(reference)
    return ok({
      version: 1,
      tags: key === undefined ? {} : { [key]: digest },
      images: { [digest]: records },
    })
  } catch (error) {
    if (error instanceof ImageError) return fail(error.message)
    return fail(messageOf(error))
  }
}
