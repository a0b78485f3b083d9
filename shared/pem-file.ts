// Several PEM files as one text, of one moment: a mounted Secret changes by a link that is put in its folder's place, and a
// certificate of before does not go with a key of after.

import { fail, ok, type Result } from './result.ts'
import { textFile, type TextSource } from './text-source.ts'

const MAX_BYTES = 1024 * 1024
/** So often files are read again that have changed meanwhile. */
const ATTEMPTS = 3
// No PEM text holds it.
const BETWEEN = '\0'

const readEach = async (sources: readonly TextSource[]): Promise<Result<string, string>> => {
  const texts: string[] = []
  for (const { name, read } of sources) {
    const text = await read()
    if (!text.ok) return fail(`${name}: ${text.error}`)
    if (text.value === undefined) return fail(`${name}: there is no such file`)
    texts.push(text.value)
  }
  return ok(texts.join(BETWEEN))
}

/** Files that are read together, under the first one's name. */
export const pemFiles = (paths: readonly [string, ...string[]]): TextSource => {
  const sources = paths.map((path) => textFile(path, MAX_BYTES))
  return {
    name: paths[0],
    stamp: async () => (await Promise.all(sources.map(({ stamp }) => stamp()))).join(BETWEEN),
    read: async () => {
      let text = await readEach(sources)
      for (let attempt = 1; text.ok && attempt < ATTEMPTS; attempt++) {
        const again = await readEach(sources)
        if (!again.ok || again.value === text.value) return again
        text = again
      }
      return text
    },
  }
}

/** The files' texts again. */
export const pemTexts = (together: string): readonly string[] => together.split(BETWEEN)
