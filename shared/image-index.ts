// The image index: what the registry said of each image, read outside admission and kept in a
// ConfigMap of its own. Commands and users by the image's digest and platform, and the digest that
// each tag was resolved to. A document of bounded size; what is not of this form is refused whole.

import { z } from 'zod'
import { fail, ok, type Result } from './result.ts'
import { faultWords, schemaFaults } from './schema-words.ts'

/** The ConfigMap, and the member of it that holds the document. */
export const INDEX_CONFIG_MAP = 'outrigger-images'
export const INDEX_KEY = 'index.json'

/** What a ConfigMap can hold, less room for its own metadata. */
export const MAX_INDEX_BYTES = 1_000_000
/** Words of one ENTRYPOINT or CMD. */
export const MAX_WORDS = 256
export const MAX_WORD_LENGTH = 32_768
/** What a kubelet takes for a uid or gid. */
export const MAX_ID = 2_147_483_647

export const DIGEST = /^sha256:[0-9a-f]{64}$/
export const PLATFORM = /^linux\/[a-z0-9]{1,20}(\/[a-z0-9.]{1,20})?$/

const id = z.number().int().min(0).max(MAX_ID)

const userSchema = z.strictObject({
  /** The name in the image's USER; absent where that is a number, or where there is none. */
  name: z.string().max(256).optional(),
  /** Absent where the image's own /etc/passwd does not know the name. */
  uid: id.optional(),
  gid: id.optional(),
})

const words = z.array(z.string().max(MAX_WORD_LENGTH)).max(MAX_WORDS)

const imageSchema = z.strictObject({
  entrypoint: words.default([]),
  cmd: words.default([]),
  /** Absent: nobody knows. */
  user: userSchema.optional(),
})

const digest = z
  .string()
  .refine((text) => DIGEST.test(text), 'must be a digest, sha256: and 64 hex digits')

const schema = z.strictObject({
  version: z.literal(1),
  /** `docker.io/library/node:24` → the digest that it was resolved to. */
  tags: z.record(z.string().max(512), digest).default({}),
  images: z
    .record(
      digest,
      z.record(
        z.string().refine((text) => PLATFORM.test(text), 'must be a platform such as linux/amd64'),
        imageSchema,
      ),
    )
    .default({}),
})

export type ImageUser = Readonly<z.output<typeof userSchema>>
export interface ImageRecord {
  readonly entrypoint: readonly string[]
  readonly cmd: readonly string[]
  readonly user?: ImageUser | undefined
}
export type Platforms = Readonly<Record<string, ImageRecord>>
export interface ImageIndex {
  readonly version: 1
  readonly tags: Readonly<Record<string, string>>
  readonly images: Readonly<Record<string, Platforms>>
}

export const EMPTY_INDEX: ImageIndex = { version: 1, tags: {}, images: {} }

/** Checks a document that has been parsed; on failure every fault at once, up to ten. */
export const parseImageIndex = (document: unknown): Result<ImageIndex, readonly string[]> => {
  const parsed = schema.safeParse(document)
  if (parsed.success) return ok(parsed.data)
  return fail(schemaFaults(schema, document, parsed.error.issues).slice(0, 10).map(faultWords))
}

/** Reads the document's text (JSON). */
export const readImageIndex = (text: string): Result<ImageIndex, readonly string[]> => {
  if (Buffer.byteLength(text) > MAX_INDEX_BYTES) {
    return fail([`it exceeds ${MAX_INDEX_BYTES} bytes`])
  }
  try {
    return parseImageIndex(JSON.parse(text))
  } catch {
    return fail(['it is not JSON'])
  }
}

const sorted = <T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Both indexes in one; what `added` says of a tag or an image holds. */
export const mergeIndexes = (index: ImageIndex, added: ImageIndex): ImageIndex => ({
  version: 1,
  tags: sorted({ ...index.tags, ...added.tags }),
  images: sorted({ ...index.images, ...added.images }),
})

/** The document's text, the same for the same index; refused where a ConfigMap cannot hold it. */
export const writeImageIndex = (index: ImageIndex): Result<string, string> => {
  const text = `${JSON.stringify(mergeIndexes(index, EMPTY_INDEX), null, 1)}\n`
  return Buffer.byteLength(text) > MAX_INDEX_BYTES
    ? fail(
        `the index would exceed ${MAX_INDEX_BYTES} bytes, which a ConfigMap cannot hold; take images out of it that no pod uses`,
      )
    : ok(text)
}
