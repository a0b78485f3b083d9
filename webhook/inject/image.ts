// What the image index knows of a container's image, and the digest that its tag stands for. No
// registry is ever asked here. Pure.

import type { ImageIndex, ImageRecord } from '../../shared/image-index.ts'
import { parseReference, recordedOf } from '../images/reference.ts'
import { objectAt, stringAt, type JsonObject } from '../../shared/json.ts'

export interface KnownImage {
  /** The reference with the recorded digest; undefined where it has a digest of its own. */
  readonly pinned: string | undefined
  /** What is recorded for the platforms that the pod may land on. */
  readonly records: readonly (readonly [platform: string, record: ImageRecord])[]
}

/** Looks a container's image up, by its digest or by the digest recorded for its tag. */
export const knownImage = (
  container: JsonObject,
  pod: JsonObject,
  index: ImageIndex,
): KnownImage | undefined => {
  const text = stringAt(container, 'image') ?? ''
  const reference = parseReference(text)
  if (!reference.ok) return undefined
  const { digest, platforms } = recordedOf(reference.value, index)
  if (digest === undefined || !platforms) return undefined
  const arch = stringAt(objectAt(pod, 'spec', 'nodeSelector'), 'kubernetes.io/arch')
  return {
    pinned: reference.value.digest === undefined ? `${text}@${digest}` : undefined,
    // `linux/arm64` also stands for its variants, `linux/arm64/v8`.
    records: Object.entries(platforms).filter(
      ([platform]) => arch === undefined || `${platform}/`.startsWith(`linux/${arch}/`),
    ),
  }
}

/** What all platforms have alike, `undefined` where they differ or none is known. */
export const agreed = <T>(
  { records }: KnownImage,
  pick: (record: ImageRecord) => T,
): T | undefined => {
  const [first, ...others] = records.map(([, record]) => pick(record))
  const text = JSON.stringify(first)
  return others.every((other) => JSON.stringify(other) === text) ? first : undefined
}
