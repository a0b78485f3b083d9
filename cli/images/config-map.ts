// The image index as a manifest: the ConfigMap that the webhook mounts. Pure.

import { parseDocument, stringify } from 'yaml'
import {
  EMPTY_INDEX,
  INDEX_CONFIG_MAP,
  INDEX_KEY,
  parseImageIndex,
  readImageIndex,
  writeImageIndex,
  type ImageIndex,
} from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { isObject, stringAt } from '../../shared/json.ts'

/** Reads a ConfigMap (YAML or JSON) or the bare document. */
export const readIndexManifest = (text: string): Result<ImageIndex, readonly string[]> => {
  const document = parseDocument(text)
  const [error] = document.errors
  if (error) return fail([error.message.split('\n')[0] ?? 'it is not YAML'])
  const value: unknown = document.toJS()
  if (!isObject(value) || value['kind'] !== 'ConfigMap') return parseImageIndex(value)
  const index = stringAt(value, 'data', INDEX_KEY)
  return index === undefined ? ok(EMPTY_INDEX) : readImageIndex(index)
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
