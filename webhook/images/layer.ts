// One layer, read as a stream: its digest is verified, what it decompresses to is bounded, and of
// its entries only those are kept that say something of the paths asked for. The only importer of
// tar-stream. It fails closed: a layer that is cut short or is another one is an error.

import { extract, type Extract, type Header } from 'tar-stream'
import { decompress, type Bytes } from './decompress.ts'
import { ImageError } from './image-error.ts'
import type { ReadLimits } from './read-limits.ts'
import { inTarBounds } from './tar-bounds.ts'
import { cleanPath, parentOf, prefixesOf, type Entry, type LayerView } from './tree.ts'

const MAX_LINK_LENGTH = 4096

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
/** What an older storage driver left in its layers: of no file. */
const META = '.wh..wh.'

async function* bounded(bytes: Bytes, maxBytes: number): AsyncGenerator<Uint8Array> {
  let length = 0
  for await (const chunk of bytes) {
    length += chunk.length
    if (length > maxBytes) {
      throw new ImageError(`a layer decompresses to more than ${maxBytes} bytes`)
    }
    yield chunk
  }
}

class View implements LayerView {
  readonly entries = new Map<string, Entry>()
  readonly whiteouts = new Set<string>()
  readonly opaque = new Set<string>()
  readonly fileBytes: number
  private readonly wanted: ReadonlySet<string>
  /** Every path that can say something of a wanted one. */
  private readonly telling: ReadonlySet<string>

  constructor({ wanted, limits }: LayerOptions) {
    this.wanted = wanted
    this.fileBytes = limits.fileBytes
    this.telling = new Set([...wanted].flatMap(prefixesOf))
  }

  /** Takes a whiteout; false where the path is none. */
  takeWhiteout(path: string): boolean {
    const parent = parentOf(path)
    const base = path.slice(parent === '' ? 0 : parent.length + 1)
    if (!base.startsWith(WHITEOUT)) return false
    if (base === OPAQUE) {
      if (parent === '' || this.telling.has(parent)) this.opaque.add(parent)
    } else if (!base.startsWith(META)) {
      const name = base.slice(WHITEOUT.length)
      const gone = parent === '' ? name : `${parent}/${name}`
      // A layer may have millions: those of other paths say nothing.
      if (this.telling.has(gone)) this.whiteouts.add(gone)
    }
    return true
  }

  isWanted(path: string): boolean {
    return this.wanted.has(path)
  }

  /** A later entry takes an earlier one's place, and what was below it. */
  put(path: string, entry: Entry): void {
    // What tells is told of from the root on: below what does not nothing does, however long the path is.
    for (let end = path.indexOf('/'); end !== -1; end = path.indexOf('/', end + 1)) {
      const prefix = path.slice(0, end)
      if (!this.telling.has(prefix)) return
      // A directory need not have an entry of its own.
      const isKept = this.entries.get(prefix)?.type === 'directory'
      if (!isKept) this.entries.set(prefix, { type: 'directory' })
    }
    if (!this.telling.has(path)) return
    if (entry.type !== 'directory') {
      for (const other of this.telling) {
        if (other.startsWith(`${path}/`)) this.entries.delete(other)
      }
    }
    this.entries.set(path, entry)
  }
}

/** The types promise a target; the parser has null where a header has none. */
const linkTo = (type: 'symlink' | 'hardlink', target: string | null): Entry =>
  target === null || target === '' || target.length > MAX_LINK_LENGTH
    ? { type: 'other' }
    : { type, target }

const read = async (body: AsyncIterable<unknown>): Promise<Entry> => {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return { type: 'file', content: Buffer.concat(chunks) }
}

const entryOf = async (header: Header, body: AsyncIterable<unknown>): Promise<Entry> => {
  switch (header.type) {
    case 'directory':
      return { type: 'directory' }
    case 'symlink':
      return linkTo('symlink', header.linkname)
    case 'link':
      return linkTo('hardlink', cleanPath(header.linkname ?? ''))
    case 'file':
    case 'contiguous-file':
      return read(body)
    case 'character-device':
    case 'block-device':
    case 'fifo':
    default:
      return { type: 'other' }
  }
}

const take = async (view: View, header: Header, body: AsyncIterable<unknown>): Promise<void> => {
  const path = cleanPath(header.name)
  if (path !== '' && !view.takeWhiteout(path)) {
    const isFile = header.type === 'file' || header.type === 'contiguous-file'
    // The content of a file that nobody asked for is not kept.
    const isRead = !isFile || view.isWanted(path)
    if (isFile && isRead && header.size > view.fileBytes) {
      throw new ImageError(`/${path} in a layer exceeds ${view.fileBytes} bytes`)
    }
    view.put(path, isRead ? await entryOf(header, body) : { type: 'other' })
  }
}

const drained = (tar: Extract): Promise<void> =>
  new Promise((resolve) => {
    const settle = (): void => {
      tar.off('drain', settle)
      tar.off('close', settle)
      resolve()
    }
    tar.on('drain', settle)
    tar.on('close', settle)
  })

const feed = async (bytes: Bytes, tar: Extract): Promise<void> => {
  for await (const chunk of bytes) {
    if (tar.destroyed) return
    if (!tar.write(chunk)) await drained(tar)
  }
  tar.end(null)
}

export interface LayerOptions {
  /** Clean paths; what leads to them is seen as well. */
  readonly wanted: ReadonlySet<string>
  readonly limits: Pick<ReadLimits, 'decompressedBytes' | 'fileBytes' | 'windowLog'>
}

/** Reads a layer to its end. */
export const readLayer = async (bytes: Bytes, options: LayerOptions): Promise<LayerView> => {
  const { decompressedBytes, windowLog } = options.limits
  const view = new View(options)
  const tar = extract()
  const plain = inTarBounds(bounded(decompress(bytes, windowLog), decompressedBytes))
  const fed = feed(plain, tar).catch((error: Error) => {
    tar.destroy(error)
  })
  for await (const entry of tar) {
    await take(view, entry.header, entry)
    entry.resume()
  }
  await fed
  return view
}
