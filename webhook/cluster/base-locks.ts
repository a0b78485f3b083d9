// The tool locks that the platform team brings, and which of them a server is held to. They come with the pod, so that
// nobody in its namespace can change them. Pure.

import { z } from 'zod'
import { lockSchema, type LockDocument } from '../../shared/lock/schema.ts'
import type { SchemaFault } from '../../shared/schema-words.ts'
import { parseReference } from '../images/reference.ts'
import type { BaseLock, Floor } from '../settings/floor.ts'

/** Of the 128 KiB that a sidecar can be told in all, half. */
const MAX_LOCK_BYTES = 64 * 1024
const MAX_LOCKS = 256

/** An image without tag and digest, by its full name, so that no other spelling of it is another; undefined where it is none. */
const imageName = (text: string): string | undefined => {
  const read = parseReference(text)
  return read.ok ? `${read.value.host.toLowerCase()}/${read.value.repository}` : undefined
}

const names = z.array(z.string().min(1).max(253)).min(1).max(256)
const images = z
  .array(
    z
      .string()
      .max(512)
      .refine(
        (text) => imageName(text) === text,
        'must be an image by its full name, without tag and digest: docker.io/library/node',
      ),
  )
  .min(1)
  .max(256)

export const toolLocksSchema = z
  .array(
    z.strictObject({
      namespaces: names.optional(),
      /** Of workloads. */
      names: names.optional(),
      /** Of the server's container. */
      images: images.optional(),
      lock: lockSchema,
    }),
  )
  .max(MAX_LOCKS)

/** What is wrong with the locks beyond the form of each. */
export const toolLockFaults = ({ toolLocks }: Pick<Floor, 'toolLocks'>): readonly SchemaFault[] =>
  toolLocks.flatMap(({ lock }, index) => {
    const bytes = Buffer.byteLength(JSON.stringify(lock))
    const message = `takes ${bytes} bytes as JSON, and each pod that it is about bears it: make it at most ${MAX_LOCK_BYTES}`
    const path = ['floor', 'toolLocks', String(index), 'lock']
    return bytes > MAX_LOCK_BYTES ? [{ path, message }] : []
  })

/** What a server is known by; each of it is the word of whoever may write its pod. */
export interface Lockable {
  readonly namespace: string
  /** Of its workload. */
  readonly name: string
  readonly image: string
}

const isAbout = (list: readonly string[] | undefined, item: string | undefined): boolean =>
  list === undefined || (item !== undefined && list.includes(item))

/** The first that is about the server. */
export const baseLockFor = (
  { namespace, name, image }: Lockable,
  locks: readonly BaseLock[],
): LockDocument | undefined => {
  const byName = imageName(image)
  return locks.find(
    (one) =>
      isAbout(one.namespaces, namespace) && isAbout(one.names, name) && isAbout(one.images, byName),
  )?.lock
}
