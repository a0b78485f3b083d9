// The image index that a flag names, or none.

import { EMPTY_INDEX, type ImageIndex } from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { readText } from '../command/read-text.ts'
import { readIndexManifest } from './config-map.ts'

/** Reads the file; the errors name it. */
export const readIndexFile = async (
  file: string | undefined,
): Promise<Result<ImageIndex, string[]>> => {
  if (file === undefined) return ok(EMPTY_INDEX)
  const text = await readText(file)
  if (!text.ok) return fail([text.error])
  const index = readIndexManifest(text.value)
  return index.ok ? index : fail(index.error.map((line) => `${file}: ${line}`))
}
