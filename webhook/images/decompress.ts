// A layer's bytes decompressed by what they are, as container runtimes do, whatever the media type
// says: gzip, zstd or a plain tar. It reads to the end of what it is given, or throws.

import { Readable, type Transform } from 'node:stream'
import { constants, createGunzip, createZstdDecompress, type ZstdDecompress } from 'node:zlib'

export type Bytes = AsyncIterable<Uint8Array>

const GZIP = [0x1f, 0x8b]
const ZSTD = [0x28, 0xb5, 0x2f, 0xfd]
/** After one byte of any value: a frame that readers skip. */
const ZSTD_SKIPPED = [0x2a, 0x4d, 0x18]
const MAGIC_LENGTH = 4

const begins = (bytes: Uint8Array, magic: readonly number[], at = 0): boolean =>
  magic.every((byte, index) => bytes[at + index] === byte)

/** The first bytes, and the whole stream again. */
const peek = async (bytes: Bytes): Promise<readonly [Uint8Array, Bytes]> => {
  const iterator = bytes[Symbol.asyncIterator]()
  let head = Buffer.alloc(0)
  let isDone = false
  while (head.length < MAGIC_LENGTH && !isDone) {
    const next = await iterator.next()
    isDone = next.done === true
    if (!next.done) head = Buffer.concat([head, next.value])
  }
  const whole = async function* (): AsyncGenerator<Uint8Array> {
    try {
      yield head
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        yield next.value
      }
    } finally {
      await iterator.return?.()
    }
  }
  return [head, whole()]
}

async function* gunzip(bytes: Bytes): AsyncGenerator<Uint8Array> {
  let length = 0
  const counted = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of bytes) {
      length += chunk.length
      yield chunk
    }
  }
  const [source, decompressor] = [Readable.from(counted()), createGunzip()]
  source.on('error', (error) => decompressor.destroy(error))
  try {
    yield* source.pipe(decompressor)
  } finally {
    source.destroy()
    decompressor.destroy()
  }
  // Zeros behind it end it before its source has: then nobody would have seen whether that is what it should be.
  if (decompressor.bytesWritten !== length) throw new Error('something stands behind its gzip')
}

/** Resolves with a change of the stream: something to read, its end or its failure. */
const changed = (stream: Transform): { readonly promise: Promise<void>; stop(): void } => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const events = ['readable', 'end', 'close', 'error']
  const settle = (): void => resolve()
  for (const event of events) stream.on(event, settle)
  return {
    promise,
    stop: () => {
      for (const event of events) stream.off(event, settle)
    },
  }
}

/** Has a stream take some input (none: its end), and yields what comes out meanwhile. */
async function* put(stream: Transform, input: Uint8Array | undefined): AsyncGenerator<Uint8Array> {
  let isTaken = false
  const { promise: taken, resolve, reject } = Promise.withResolvers<void>()
  const settle = (error?: Error | null): void => (error ? reject(error) : resolve())
  if (input) stream.write(input, settle)
  else stream.end(settle)
  const done = taken.then(() => {
    isTaken = true
  })
  // It may fail after what has been read of it has been told.
  done.catch(() => undefined)
  while (true) {
    const wait = changed(stream)
    const output: Uint8Array | null = stream.read()
    // Whoever writes what it fails at is never called back.
    if (stream.errored) {
      wait.stop()
      throw stream.errored
    }
    if (output) yield output
    else if (isTaken) {
      wait.stop()
      return
    } else await Promise.race([done, wait.promise])
    wait.stop()
  }
}

/**
 * Frame by frame: layers that can be read in parts have a frame a file, and frames to skip, while
 * Node's own stream ends with the first frame that ends within a chunk.
 */
async function* unzstd(bytes: Bytes, windowLog: number): AsyncGenerator<Uint8Array> {
  const begin = (): ZstdDecompress => {
    const params = { [constants.ZSTD_d_windowLogMax]: windowLog }
    // Seen where it is read from; nobody may be listening when it fails.
    return createZstdDecompress({ params }).on('error', () => undefined)
  }
  let frame = begin()
  const restart = (): void => {
    frame.destroy()
    frame = begin()
  }
  try {
    for await (const chunk of bytes) {
      let rest = chunk
      while (rest.length > 0) {
        const before = frame.bytesWritten
        yield* put(frame, rest)
        rest = rest.subarray(frame.bytesWritten - before)
        if (rest.length > 0) restart()
      }
    }
    yield* put(frame, undefined)
  } finally {
    frame.destroy()
  }
}

/** The plain bytes; how many they may be is the reader's to say. `windowLog`: of zstd, how far back they may refer. */
export async function* decompress(bytes: Bytes, windowLog: number): AsyncGenerator<Uint8Array> {
  const [head, whole] = await peek(bytes)
  if (begins(head, GZIP)) yield* gunzip(whole)
  else if (begins(head, ZSTD) || begins(head, ZSTD_SKIPPED, 1)) yield* unzstd(whole, windowLog)
  else yield* whole
}
