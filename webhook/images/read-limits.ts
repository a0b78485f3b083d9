// How much of an image is read at most: by whoever asks for it himself, and by a program of the cluster, which whoever writes a
// pod has ask.

export interface ReadLimits {
  /** Of a manifest or a configuration. */
  readonly documentBytes: number
  /** Of the layers of one image and platform that are read for its USER, as they come. */
  readonly compressedBytes: number
  /** Of one layer, decompressed. */
  readonly decompressedBytes: number
}

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** Container runtimes refuse larger documents, too. */
export const BY_HAND: ReadLimits = {
  documentBytes: 4 * MIB,
  compressedBytes: 8 * GIB,
  decompressedBytes: 16 * GIB,
}

export const BY_ITSELF: ReadLimits = {
  documentBytes: MIB,
  compressedBytes: 512 * MIB,
  decompressedBytes: GIB,
}
