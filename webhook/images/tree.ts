// One file of an image, found through its layers as an overlay of them would show it: the upper
// layer wins, whiteouts hide what is below, symbolic and hard links are followed inside the image.
// Pure: it sees only what was kept of each layer, and says what more it needs.

export type Entry =
  | { readonly type: 'directory' }
  | { readonly type: 'file'; readonly content: Uint8Array }
  | { readonly type: 'symlink' | 'hardlink'; readonly target: string }
  /** A device or a pipe. */
  | { readonly type: 'other' }

/** What one layer says of the paths that were asked for; paths without a leading slash. */
export interface LayerView {
  readonly entries: ReadonlyMap<string, Entry>
  /** Paths that are gone from the layers below. */
  readonly whiteouts: ReadonlySet<string>
  /** Directories whose contents in the layers below are gone; `''` is the root. */
  readonly opaque: ReadonlySet<string>
}

export type Found =
  | { readonly kind: 'file'; readonly content: Uint8Array }
  | { readonly kind: 'missing' }
  /** The layers that were read do not say; the next one down may. */
  | { readonly kind: 'deeper' }
  /** A link leads to a path that was not asked for. */
  | { readonly kind: 'elsewhere'; readonly path: string }

// As many as Linux follows.
const MAX_LINKS = 40

/** A path of a layer without leading slash and dots; what climbs out of the root stays in it. */
export const cleanPath = (path: string): string => {
  const parts: string[] = []
  for (const part of path.split('/')) {
    if (part === '..') parts.pop()
    else if (part !== '' && part !== '.') parts.push(part)
  }
  return parts.join('/')
}

export const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')))

/** A path and every directory above it, the root left out. */
export const prefixesOf = (path: string): readonly string[] => {
  const parts = path.split('/')
  return path === '' ? [] : parts.map((_part, index) => parts.slice(0, index + 1).join('/'))
}

const isHiding = (view: LayerView, path: string): boolean =>
  view.opaque.has('') ||
  prefixesOf(path).some((prefix) => {
    if (view.whiteouts.has(prefix)) return true
    if (prefix === path) return false
    const entry = view.entries.get(prefix)
    return view.opaque.has(prefix) || (entry !== undefined && entry.type !== 'directory')
  })

interface Stat {
  readonly entry: Entry
  /** Index of the layer, 0 the uppermost. */
  readonly layer: number
}

export interface Image {
  /** The layers that have been read, the uppermost first. */
  readonly layers: readonly LayerView[]
  /** Whether these are all of them. */
  readonly isWhole: boolean
  /** The paths that every layer was asked for. */
  readonly wanted: ReadonlySet<string>
}

const stat = (image: Image, path: string, from: number): Stat | Found => {
  if (!image.wanted.has(path)) return { kind: 'elsewhere', path }
  for (let layer = from; layer < image.layers.length; layer += 1) {
    const view = image.layers[layer]
    const entry = view?.entries.get(path)
    if (entry) return { entry, layer }
    if (view && isHiding(view, path)) return { kind: 'missing' }
  }
  return image.isWhole ? { kind: 'missing' } : { kind: 'deeper' }
}

/** The path that a link at `path` leads to, `rest` behind it. */
const followed = (path: string, target: string, rest: readonly string[]): string => {
  const start = target.startsWith('/') ? '' : parentOf(path)
  // Not cleaned across links: `..` after one would climb from the wrong directory.
  return [start, target, ...rest].filter((part) => part !== '').join('/')
}

interface Walk {
  readonly image: Image
  readonly path: string
  readonly from: number
  readonly links: number
}

const afterEntry = (
  walk: Walk,
  at: string,
  { entry, layer }: Stat,
  rest: readonly string[],
): Found | undefined => {
  const { image, links } = walk
  const isLast = rest.length === 0
  if (entry.type === 'directory') return isLast ? { kind: 'missing' } : undefined
  if (entry.type === 'symlink') {
    const path = followed(at, entry.target, rest)
    return follow({ image, path, from: walk.from, links: links + 1 })
  }
  if (!isLast || entry.type === 'other') return { kind: 'missing' }
  if (entry.type === 'file') return { kind: 'file', content: entry.content }
  // A hard link names a file as it was when its own layer was laid down.
  return follow({ image, path: entry.target, from: layer, links: links + 1 })
}

const follow = (walk: Walk): Found => {
  if (walk.links > MAX_LINKS) return { kind: 'missing' }
  const parts = walk.path.split('/').filter((part) => part !== '' && part !== '.')
  let at = ''
  for (const [index, part] of parts.entries()) {
    if (part === '..') {
      at = parentOf(at)
      continue
    }
    at = at === '' ? part : `${at}/${part}`
    const found = stat(walk.image, at, walk.from)
    if ('kind' in found) return found
    const end = afterEntry(walk, at, found, parts.slice(index + 1))
    if (end) return end
  }
  return { kind: 'missing' }
}

/** Finds a file by its path. */
export const findFile = (image: Image, path: string): Found =>
  follow({ image, path, from: 0, links: 0 })
