// An API server in memory as whoever fills the image index asks it: one ConfigMap, written only over the version that was read,
// other objects by path, and Events.

import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import {
  EMPTY_INDEX,
  INDEX_KEY,
  readImageIndex,
  type ImageIndex,
} from '../../shared/image-index.ts'
import { Refusal } from '../../webhook/kube/reply.ts'
import type { Requests } from '../../webhook/kube/requests.ts'

const CONFIG_MAP = '/api/v1/namespaces/outrigger-system/configmaps/outrigger-images'

export class IndexApi {
  /** What is beside the ConfigMap; a status refuses. */
  readonly objects = new Map<string, JsonObject | number>()
  readonly events: JsonObject[] = []
  readonly asked: string[] = []
  /** Something that happens once between a look at the ConfigMap and a write. */
  meanwhile: (() => void) | undefined
  private data: JsonObject = {}
  private version = 1

  get index(): ImageIndex {
    const text = stringAt(this.data, INDEX_KEY)
    const index = text === undefined ? undefined : readImageIndex(text)
    if (index && !index.ok) throw new Error(index.error.join())
    return index?.value ?? EMPTY_INDEX
  }

  /** As somebody else writes it. */
  put(data: JsonObject): void {
    this.data = { ...this.data, ...data }
    this.version += 1
  }

  readonly requests: Requests = {
    get: async (path) => {
      this.asked.push(path)
      if (path === CONFIG_MAP) {
        const read = { metadata: { resourceVersion: String(this.version) }, data: this.data }
        this.meanwhile?.()
        this.meanwhile = undefined
        return read
      }
      const found = this.objects.get(path)
      if (typeof found === 'number') throw new Refusal(found, '{"message":"secret words"}')
      return found
    },
    write: async ({ method, path, body = '' }, signal) => {
      signal.throwIfAborted()
      const sent: unknown = JSON.parse(body)
      if (!isObject(sent)) throw new Error('no object')
      if (method === 'POST') {
        this.events.push(sent)
        return { status: 201, object: sent }
      }
      if (`${method} ${path}` !== `PATCH ${CONFIG_MAP}`) throw new Refusal(403, '{}')
      const isOld = stringAt(sent, 'metadata', 'resourceVersion') !== String(this.version)
      if (isOld) return { status: 409, object: {} }
      this.put(objectAt(sent, 'data'))
      return { status: 200, object: {} }
    },
  }
}
