// What the controller adds to the image index: only what is not there, so that what people have recorded stays, and within
// bounds for each namespace that asked, of which the ConfigMap keeps count itself. Whoever leads next goes on from there.

import { createHash } from 'node:crypto'
import { z } from 'zod'
import {
  EMPTY_INDEX,
  INDEX_CONFIG_MAP,
  INDEX_KEY,
  mergeIndexes,
  readImageIndex,
  writeImageIndex,
  type ImageIndex,
} from '../../shared/image-index.ts'
import { stringAt, type JsonObject } from '../../shared/json.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Requests } from '../kube/requests.ts'
import { without, withRoomFor, type Bounds, type Marked, type Part } from './found-room.ts'

/** The member beside the index that says which of it was found for whom. */
const FOUND_KEY = 'found.json'

/** Of one image: a command of a few words takes less than one. */
const MAX_IMAGE_BYTES = 16_384
export const MAX_NAMESPACE_BYTES = 65_536
/** Of all: the rest of the index is for what people record. */
export const MAX_BYTES = 524_288
/** Beside an index of any size that may be, it is within what a ConfigMap can hold. */
const MAX_FOUND_TEXT = 40_000
const MAX_TRIES = 5

/** An image, or a tag with what it leads to, short: a tag that somebody records anew is found no more. */
const markOf = (name: string): string =>
  createHash('sha256').update(name).digest('base64url').slice(0, 12)
const markOfTag = (tag: string, digest: string): string => markOf(`${tag}@${digest}`)

const foundSchema = z.strictObject({
  version: z.literal(1),
  namespaces: z.record(z.string().max(63), z.array(z.string().max(12))),
})

/** By namespace, marks of the tags and digests that were found for it. */
export type Found = Marked

const sizeOf = (name: string, value: unknown): number =>
  Buffer.byteLength(JSON.stringify({ [name]: value }))

/** What each part of an index takes, by its mark. */
const partsOf = ({ tags, images }: ImageIndex): ReadonlyMap<string, Part> =>
  new Map([
    ...Object.entries(tags).map(([name, digest]): [string, Part] => [
      markOfTag(name, digest),
      { kind: 'tag', name, bytes: sizeOf(name, digest) },
    ]),
    ...Object.entries(images).map(([name, platforms]): [string, Part] => [
      markOf(name),
      { kind: 'image', name, bytes: sizeOf(name, platforms) },
    ]),
  ])

const missingIn = <T>(
  there: Readonly<Record<string, T>>,
  added: Readonly<Record<string, T>>,
): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(added).filter(([name]) => !Object.hasOwn(there, name)))

const BOUNDS: Bounds = {
  bytes: MAX_BYTES,
  ofNamespace: MAX_NAMESPACE_BYTES,
  // With what stands around all of them.
  text: MAX_FOUND_TEXT - 100,
}

/** Without the marks of what somebody has taken out of the index. */
const standingIn = ({ index, marks }: Found, parts: ReadonlyMap<string, Part>): Found => ({
  index,
  marks: Object.fromEntries(
    Object.entries(marks).map(([name, own]) => [name, own.filter((mark) => parts.has(mark))]),
  ),
})

/** With what is new in it for a namespace, in the place of what was found first where there is no room; undefined where nothing is. */
export const withFound = (
  found: Found,
  namespace: string,
  added: ImageIndex,
): Result<Found | undefined, string> => {
  const news: ImageIndex = {
    version: 1,
    tags: missingIn(found.index.tags, added.tags),
    images: missingIn(found.index.images, added.images),
  }
  const coming = [...partsOf(news)]
  if (coming.length === 0) return ok(undefined)
  const bytes = coming.reduce((all, [, part]) => all + part.bytes, 0)
  if (bytes > MAX_IMAGE_BYTES) {
    return fail(
      `its command takes ${bytes} bytes of the image index, and ${MAX_IMAGE_BYTES} is the most`,
    )
  }
  const parts = partsOf(found.index)
  const wanted = new Set([...Object.entries(added.tags).flat(), ...Object.keys(added.images)])
  const asked = { namespace, bytes, marks: coming.length, wanted }
  const { index, marks } = withRoomFor(standingIn(found, parts), parts, asked, BOUNDS)
  const own = Object.hasOwn(marks, namespace) ? (marks[namespace] ?? []) : []
  return ok({
    index: mergeIndexes(index, news),
    marks: { ...marks, [namespace]: [...own, ...coming.map(([mark]) => mark)] },
  })
}

/** A tag that was found, as the index has it. */
export interface FoundTag {
  readonly namespace: string
  readonly tag: string
  readonly digest: string
}

const tagsIn = ({ index, marks }: Found): readonly FoundTag[] => {
  const namespaces = new Map(
    Object.entries(marks).flatMap(([namespace, own]) => own.map((mark) => [mark, namespace])),
  )
  return Object.entries(index.tags).flatMap(([tag, digest]) => {
    const namespace = namespaces.get(markOfTag(tag, digest))
    return namespace === undefined ? [] : [{ namespace, tag, digest }]
  })
}

/** With what a tag leads to by now; what it led to goes where it was found and nothing else leads there. */
export const withMoved = (
  { index, marks }: Found,
  { namespace, tag, digest }: FoundTag,
  added: ImageIndex,
): Result<Found | undefined, string> => {
  const isSame = index.tags[tag] !== digest || added.tags[tag] === digest
  if (isSame || !Object.hasOwn(added.tags, tag)) return ok(undefined)
  const tags = without(index.tags, tag)
  const isFound = Object.values(marks).some((own) => own.includes(markOf(digest)))
  const isLeft = isFound && !Object.values(tags).includes(digest)
  const images = isLeft ? without(index.images, digest) : index.images
  return withFound({ index: { version: 1, tags, images }, marks }, namespace, added)
}

const readFound = (text: string | undefined): Result<Found['marks'], string> => {
  if (text === undefined) return ok({})
  try {
    return ok(foundSchema.parse(JSON.parse(text)).namespaces)
  } catch {
    return fail(`${FOUND_KEY} in the ConfigMap ${INDEX_CONFIG_MAP} is not of its form: take it out`)
  }
}

const foundIn = (object: JsonObject): Result<Found, string> => {
  const text = stringAt(object, 'data', INDEX_KEY)
  const index = text === undefined ? ok(EMPTY_INDEX) : readImageIndex(text)
  if (!index.ok)
    return fail(`the image index in the cluster is not taken: ${index.error.join('; ')}`)
  const marks = readFound(stringAt(object, 'data', FOUND_KEY))
  return marks.ok ? ok({ index: index.value, marks: marks.value }) : marks
}

const textsOf = ({ index, marks }: Found): Result<JsonObject, string> => {
  const text = writeImageIndex(index)
  if (!text.ok) return text
  // An index that is not taken would be none: nobody's image is to spoil everybody's.
  if (!readImageIndex(text.value).ok)
    return fail('what its registry says of it is nothing that the image index can hold')
  const found = JSON.stringify({ version: 1, namespaces: marks })
  return Buffer.byteLength(found) > MAX_FOUND_TEXT
    ? fail(
        `${FOUND_KEY} would exceed ${MAX_FOUND_TEXT} bytes: take images out of the index that no pod uses`,
      )
    : ok({ [INDEX_KEY]: text.value, [FOUND_KEY]: found })
}

export class FoundImages {
  private readonly requests: Requests
  private readonly path: string
  private readonly place: string

  /** In our own namespace. */
  constructor(requests: Requests, namespace: string) {
    this.requests = requests
    this.place = `${namespace}/${INDEX_CONFIG_MAP}`
    this.path = `/api/v1/namespaces/${namespace}/configmaps/${INDEX_CONFIG_MAP}`
  }

  /** The index as it is; throws where the API server does not say. */
  async read(signal: AbortSignal): Promise<Result<ImageIndex, string>> {
    const standing = await this.standing(signal)
    return standing.ok ? ok(standing.value.found.index) : standing
  }

  /** The tags that were found, and that nobody has recorded anew. */
  async tags(signal: AbortSignal): Promise<Result<readonly FoundTag[], string>> {
    const standing = await this.standing(signal)
    return standing.ok ? ok(tagsIn(standing.value.found)) : standing
  }

  /** Adds what is new in it. */
  add(
    namespace: string,
    added: ImageIndex,
    signal: AbortSignal,
  ): Promise<Result<undefined, string>> {
    return this.change((found) => withFound(found, namespace, added), signal)
  }

  /** Has a tag that was found lead where it does by now. */
  move(
    found: FoundTag,
    added: ImageIndex,
    signal: AbortSignal,
  ): Promise<Result<undefined, string>> {
    return this.change((before) => withMoved(before, found, added), signal)
  }

  /** Whoever writes meanwhile loses nothing. */
  private async change(
    by: (found: Found) => Result<Found | undefined, string>,
    signal: AbortSignal,
  ): Promise<Result<undefined, string>> {
    for (let tries = 0; tries < MAX_TRIES; tries += 1) {
      const standing = await this.standing(signal)
      if (!standing.ok) return standing
      const { found, resourceVersion } = standing.value
      const after = by(found)
      if (!after.ok) return after
      if (!after.value) return ok(undefined)
      const data = textsOf(after.value)
      if (!data.ok) return data
      if (await this.write(data.value, resourceVersion, signal)) return ok(undefined)
    }
    return fail('somebody else wrote to the image index at the same time, again and again')
  }

  private async standing(
    signal: AbortSignal,
  ): Promise<Result<{ readonly found: Found; readonly resourceVersion: string }, string>> {
    const object = await this.requests.get(this.path, signal)
    if (!object) return fail(`there is no ConfigMap ${this.place}; Outrigger's manifests have it`)
    const found = foundIn(object)
    const resourceVersion = stringAt(object, 'metadata', 'resourceVersion') ?? ''
    return found.ok ? ok({ found: found.value, resourceVersion }) : found
  }

  private async write(
    data: JsonObject,
    resourceVersion: string,
    signal: AbortSignal,
  ): Promise<boolean> {
    const body = JSON.stringify({ metadata: { resourceVersion }, data })
    const contentType = 'application/merge-patch+json'
    const request = { method: 'PATCH', path: this.path, contentType, body } as const
    const { status } = await this.requests.write(request, signal, [409])
    return status !== 409
  }
}
