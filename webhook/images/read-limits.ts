// How much of an image is read at most: by whoever asks for it himself, and by a program of the cluster, which whoever writes a
// pod has ask.

export interface ReadLimits {
  /** Of a manifest or a configuration. */
  readonly documentBytes: number
  /** Of the layers of one image and platform that are read for its USER, as they come. */
  readonly compressedBytes: number
  /** Of one layer, decompressed. */
  readonly decompressedBytes: number
  /** Of one file that is looked for in them; of all that are held at once sixteen times as much. */
  readonly fileBytes: number
  /** How far back a layer by zstd may refer, as a power of two: so much is held while it is read. */
  readonly windowLog: number
}

const MIB = 1024 ** 2
const GIB = 1024 ** 3

/** Container runtimes refuse larger documents, too. */
export const BY_HAND: ReadLimits = {
  documentBytes: 4 * MIB,
  compressedBytes: 8 * GIB,
  decompressedBytes: 16 * GIB,
  // A passwd of a hundred thousand lines is smaller.
  fileBytes: 8 * MIB,
  windowLog: 27,
}

export const BY_ITSELF: ReadLimits = {
  documentBytes: MIB,
  compressedBytes: 512 * MIB,
  decompressedBytes: GIB,
  fileBytes: MIB,
  // What every reader is to support (RFC 8878, section 3.1.1.1.2).
  windowLog: 23,
}
