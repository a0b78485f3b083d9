// What `outrigger images add` does with the index that there is: reads each image and records it.
// All of it, or nothing.

import { mergeIndexes, type ImageIndex, type Platforms } from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { Reader } from '../../webhook/images/reader.ts'
import { parseReference } from '../../webhook/images/reference.ts'

export interface Added {
  readonly added: ImageIndex
  /** A line an image, and what is worth knowing of it. */
  readonly notes: readonly string[]
}

/** The tag's digest before and after, where another was recorded. */
const moves = (before: ImageIndex, added: ImageIndex): readonly string[] =>
  Object.entries(added.tags).flatMap(([tag, digest]) => {
    const old = Object.hasOwn(before.tags, tag) ? before.tags[tag] : undefined
    return old === undefined || old === digest
      ? []
      : [`${tag}: has moved from ${old}; pods that are created from now on get the new digest`]
  })

/** Users that the image names and does not know. */
const strangers = (platforms: Platforms): readonly string[] =>
  Object.entries(platforms).flatMap(([platform, { user }]) =>
    user?.name === undefined || user.uid !== undefined
      ? []
      : [
          `warning: ${platform}: its USER names ${JSON.stringify(user.name)}, whom its own /etc/passwd and /etc/group do not know: container runtimes refuse it as it is, and Outrigger gives it the cluster's default uid`,
        ],
  )

const notesOn = (image: string, before: ImageIndex, added: ImageIndex): readonly string[] => {
  const read = Object.entries(added.images).map(
    ([digest, platforms]) => `${digest} ${Object.keys(platforms).join(' ')}`,
  )
  const unknown = Object.values(added.images).flatMap(strangers)
  return [...[...read, ...unknown].map((note) => `${image}: ${note}`), ...moves(before, added)]
}

/** Reads the images one after the other; every fault at once. */
export const addImages = async (
  images: readonly string[],
  before: ImageIndex,
  { reader, platforms }: { readonly reader: Reader; readonly platforms: readonly string[] },
): Promise<Result<Added, readonly string[]>> => {
  let all: ImageIndex = { version: 1, tags: {}, images: {} }
  const notes: string[] = []
  const errors: string[] = []
  for (const image of images) {
    const reference = parseReference(image)
    const read = reference.ok ? await reader.read(reference.value, platforms) : reference
    if (read.ok) {
      all = mergeIndexes(all, read.value)
      notes.push(...notesOn(image, before, read.value))
    } else errors.push(reference.ok ? `${image}: ${read.error}` : read.error)
  }
  return errors.length > 0 ? fail(errors) : ok({ added: all, notes })
}
