// The image index as a manifest: the ConfigMap that the webhook mounts. Pure.

import { stringify } from 'yaml'
import {
  EMPTY_INDEX,
  INDEX_CONFIG_MAP,
  INDEX_KEY,
  parseImageIndex,
  readImageIndex,
  writeImageIndex,
  type ImageIndex,
} from '../../shared/image-index.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isObject, stringAt } from '../../shared/json.ts'
import { readPlaced } from '../../shared/yaml-places.ts'

const WANTED = 'what `outrigger images add` prints is wanted'

/** Reads a ConfigMap (YAML or JSON) or the bare document. */
export const readIndexManifest = (text: string): Result<ImageIndex, readonly string[]> => {
  const placed = readPlaced(text)
  if (!placed.ok) return fail(placed.error.map(placedWords))
  const { value } = placed.value
  if (!isObject(value)) return fail([`it holds no image index; ${WANTED}`])
  const kind = stringAt(value, 'kind')
  if (kind === undefined) return parseImageIndex(value)
  if (kind !== 'ConfigMap') return fail([`it is a ${kind}; ${WANTED}`])
  const index = stringAt(value, 'data', INDEX_KEY)
  if (index === undefined) return ok(EMPTY_INDEX)
  const read = readImageIndex(index)
  return read.ok ? read : fail(read.error.map((line) => `data.${INDEX_KEY}: ${line}`))
}

/** The ConfigMap's manifest. */
export const writeIndexManifest = (
  index: ImageIndex,
  namespace: string,
): Result<string, string> => {
  const text = writeImageIndex(index)
  return text.ok
    ? ok(
        stringify({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: INDEX_CONFIG_MAP, namespace },
          data: { [INDEX_KEY]: text.value },
        }),
      )
    : text
}
