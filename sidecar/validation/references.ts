// Where the references of a schema lead: to a place in it, by pointer, by anchor or by identifier, each as the schema that it
// stands in has its base (JSON Schema 2020-12, section 8.2). They lead nowhere else. Pure.

import { Unusable } from './unusable.ts'

/** The identifier of a schema that bears none. */
const NAMELESS = 'json-schema:///'

export type Path = readonly string[]

export const pointerTo = (path: Path): string =>
  `#${path.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')}`

const partsOf = (fragment: string): Path =>
  fragment
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))

/** A schema with an identifier of its own, by which those in it are named. */
export interface Base {
  readonly uri: string
  readonly path: Path
}

export const ROOT: Base = { uri: NAMELESS, path: [] }

export class References {
  private readonly places = new Set<string>()
  private readonly bases = new Map<string, Base>([[NAMELESS, ROOT]])
  private readonly anchors = new Map<string, Path>()

  /** A schema stands here. */
  place(path: Path): void {
    this.places.add(JSON.stringify(path))
  }

  /** The base of what stands in a schema with an identifier. */
  identify(id: string, base: Base, path: Path): Base {
    const uri = resolved(id, base, path)
    const before = this.bases.get(uri.href)
    if (before && before.path.join('/') !== path.join('/')) {
      throw new Unusable('two schemas in it have the same identifier', path)
    }
    const own = { uri: uri.href, path }
    this.bases.set(uri.href, own)
    return own
  }

  anchor(name: string, { uri }: Base, path: Path): void {
    const key = `${uri}#${name}`
    if (this.anchors.has(key)) throw new Unusable('two schemas in it have the same anchor', path)
    this.anchors.set(key, path)
  }

  /** The pointer, from the whole schema, of what a reference means; once all of it has been read. */
  follow(ref: string, base: Base, from: Path): string {
    const uri = resolved(ref, base, from)
    const fragment = fragmentOf(uri, from)
    uri.hash = ''
    const target = this.bases.get(uri.href)
    if (!target) throw new Unusable('it refers to a schema elsewhere', from)
    const path = /^$|^\//.test(fragment)
      ? [...target.path, ...partsOf(fragment)]
      : this.anchors.get(`${target.uri}#${fragment}`)
    if (path === undefined || !this.places.has(JSON.stringify(path))) {
      throw new Unusable('it refers to what is no schema', from)
    }
    return pointerTo(path)
  }
}

const resolved = (reference: string, { uri }: Base, path: Path): URL => {
  const url = URL.parse(reference, uri)
  if (!url) throw new Unusable('an identifier or reference in it is no URI', path)
  return url
}

const fragmentOf = ({ hash }: URL, path: Path): string => {
  try {
    return decodeURIComponent(hash.slice(1))
  } catch {
    throw new Unusable('a reference in it is no URI', path)
  }
}
