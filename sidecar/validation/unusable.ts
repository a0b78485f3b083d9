// Why nobody can check by a schema, or check arguments by it: in words for whoever wrote it, with the place.

const MAX_SHOWN = 200

export class Unusable extends Error {
  /** `path`: where in the schema. */
  constructor(why: string, path: readonly string[] = []) {
    super(path.length === 0 ? why : `${why} (at #/${path.join('/').slice(0, MAX_SHOWN)})`)
  }
}
