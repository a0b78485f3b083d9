// Manifests, multi-arch indexes and image configurations: bytes that a registry sent become types
// here, once. What two readers could read in two ways is refused. Pure.

import { z } from 'zod'
import { DIGEST, MAX_WORDS, MAX_WORD_LENGTH, PLATFORM } from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isObject, type JsonObject } from '../../shared/json.ts'

const OCI = 'application/vnd.oci.image'
const DOCKER = 'application/vnd.docker'
const INDEX_TYPES = [`${OCI}.index.v1+json`, `${DOCKER}.distribution.manifest.list.v2+json`]
const IMAGE_TYPES = [`${OCI}.manifest.v1+json`, `${DOCKER}.distribution.manifest.v2+json`]
export const MANIFEST_TYPES: readonly string[] = [...INDEX_TYPES, ...IMAGE_TYPES]
const CONFIG_TYPES = [`${OCI}.config.v1+json`, `${DOCKER}.container.image.v1+json`]
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer\.v1\.tar|docker\.image\.rootfs\.diff\.tar)(?:[.+](?:gzip|zstd))?$/

/** An overlay cannot have more layers. */
const MAX_LAYERS = 128
const MAX_DESCRIPTORS = 256
/** Platforms for Linux in one index. */
export const MAX_PLATFORMS = 32

const descriptor = z.object({
  mediaType: z.string().max(256),
  digest: z.string().regex(DIGEST, 'not a sha256 digest'),
  size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
})

const indexSchema = z.object({
  mediaType: z.string().optional(),
  manifests: z
    .array(
      descriptor.extend({
        platform: z
          .object({
            os: z.string().max(64),
            architecture: z.string().max(64),
            variant: z.string().max(64).optional(),
          })
          .optional(),
      }),
    )
    .max(MAX_DESCRIPTORS),
})

const manifestSchema = z.object({
  mediaType: z.string().optional(),
  config: descriptor,
  layers: z.array(descriptor).max(MAX_LAYERS),
})

export type Layer = z.output<typeof descriptor>
export type ImageManifest = z.output<typeof manifestSchema>
export type Document =
  | {
      readonly kind: 'index'
      /** Digests of the images for Linux, by platform. */
      readonly platforms: ReadonlyMap<string, string>
    }
  | { readonly kind: 'image'; readonly manifest: ImageManifest }

const parseJson = (text: string): JsonObject | undefined => {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

const first = (error: z.ZodError): string => {
  const [issue] = error.issues
  return `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`
}

/** `linux/arm64/v8`; undefined for what no Linux node runs, an attestation for example. */
const platformOf = (
  os: string,
  architecture: string,
  variant: string | undefined,
): string | undefined => {
  const text = [os, architecture, ...(variant ? [variant] : [])].join('/')
  return PLATFORM.test(text) ? text : undefined
}

const readIndex = (document: JsonObject): Result<Document, string> => {
  const parsed = indexSchema.safeParse(document)
  if (!parsed.success) return fail(`its index is malformed: ${first(parsed.error)}`)
  const platforms = new Map<string, string>()
  for (const { platform, digest, mediaType } of parsed.data.manifests) {
    const name = platform && platformOf(platform.os, platform.architecture, platform.variant)
    // Of two images for one platform runtimes take the first.
    const isFirst = name !== undefined && !platforms.has(name)
    if (isFirst && IMAGE_TYPES.includes(mediaType)) platforms.set(name, digest)
  }
  if (platforms.size > MAX_PLATFORMS) return fail(`it has more than ${MAX_PLATFORMS} platforms`)
  return platforms.size === 0 ? fail('it has no image for Linux') : ok({ kind: 'index', platforms })
}

const readManifest = (document: JsonObject): Result<Document, string> => {
  const parsed = manifestSchema.safeParse(document)
  if (!parsed.success) return fail(`its manifest is malformed: ${first(parsed.error)}`)
  const { mediaType } = parsed.data.config
  return CONFIG_TYPES.includes(mediaType)
    ? ok({ kind: 'image', manifest: parsed.data })
    : fail(`it is not a container image but ${JSON.stringify(mediaType)}`)
}

/** Reads what a registry has under a tag or a digest; `mediaType` is the answer's own word. */
export const readDocument = (text: string, mediaType: string): Result<Document, string> => {
  const document = parseJson(text)
  if (!document) return fail('its manifest is not JSON')
  if (!MANIFEST_TYPES.includes(mediaType)) {
    return fail(
      `its manifest is of the type ${JSON.stringify(mediaType.slice(0, 100))}, which is not supported (schema 1 images: build them anew)`,
    )
  }
  const own = document['mediaType'] ?? mediaType
  const isBoth = Object.hasOwn(document, 'manifests') && Object.hasOwn(document, 'layers')
  if (own !== mediaType || isBoth) {
    return fail('its manifest is one thing by its type and another by its content')
  }
  return INDEX_TYPES.includes(mediaType) ? readIndex(document) : readManifest(document)
}

/** Why a layer cannot be read, or undefined. */
export const layerFault = ({ mediaType }: Layer): string | undefined =>
  LAYER_TYPE.test(mediaType)
    ? undefined
    : `a layer is of the type ${JSON.stringify(mediaType.slice(0, 100))}, which cannot be read`

export interface ImageConfig {
  readonly platform: string
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  /** USER as it was written; empty for none. */
  readonly user: string
}

const words = z
  .array(z.string().max(MAX_WORD_LENGTH))
  .max(MAX_WORDS)
  .nullish()
  .transform((list) => list ?? [])

const configSchema = z.object({
  os: z.string().max(64),
  architecture: z.string().max(64),
  variant: z.string().max(64).nullish(),
  config: z
    .object({
      Entrypoint: words,
      Cmd: words,
      User: z
        .string()
        .max(1024)
        .nullish()
        .transform((user) => user ?? ''),
    })
    .nullish()
    .transform((config) => config ?? { Entrypoint: [], Cmd: [], User: '' }),
})

const MEMBERS = ['os', 'architecture', 'variant', 'config', 'Entrypoint', 'Cmd', 'User']

/** Container runtimes take a member in any case; we only as it is written. */
const misspelt = (object: JsonObject): string | undefined =>
  Object.keys(object).find(
    (key) =>
      !MEMBERS.includes(key) &&
      MEMBERS.some((member) => member.toLowerCase() === key.toLowerCase()),
  )

const oddMember = (document: JsonObject): string | undefined => {
  const config = document['config']
  return misspelt(document) ?? (isObject(config) ? misspelt(config) : undefined)
}

/** Reads an image's configuration. */
export const readConfig = (text: string): Result<ImageConfig, string> => {
  const document = parseJson(text)
  if (!document) return fail('its configuration is not JSON')
  const odd = oddMember(document)
  if (odd !== undefined) return fail(`its configuration spells a member ${JSON.stringify(odd)}`)
  const parsed = configSchema.safeParse(document)
  if (!parsed.success) return fail(`its configuration is malformed: ${first(parsed.error)}`)
  const { os, architecture, variant, config } = parsed.data
  const platform = platformOf(os, architecture, variant ?? undefined)
  return platform === undefined
    ? fail(`it is for ${JSON.stringify(`${os}/${architecture}`)}, which is no platform of Linux`)
    : ok({ platform, entrypoint: config.Entrypoint, cmd: config.Cmd, user: config.User })
}
