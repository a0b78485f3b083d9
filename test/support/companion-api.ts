// An API server in memory that keeps to the rules by which the controller is careful: an apply with a uid is for that very
// object, one without force takes nobody's fields, a removal is of one uid.

import { isObject, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import { Refusal, type Request } from '../../webhook/kube/reply.ts'
import type { Requests } from '../../webhook/kube/requests.ts'

/** Objects by path. */
export class FakeApi implements Requests {
  readonly objects = new Map<string, JsonObject>()
  readonly asked: string[] = []
  readonly events: JsonObject[] = []
  /** Pods whose gate was taken off, by uid. */
  readonly letGo: string[] = []
  /** What is refused, by path. */
  readonly refused = new Map<string, Refusal>()
  private made = 0
  /** Something that happens between a look and a write. */
  meanwhile: ((path: string) => void) | undefined

  readonly get = async (path: string): Promise<JsonObject | undefined> => {
    const found = this.objects.get(path)
    this.meanwhile?.(path)
    return found
  }

  readonly write = async (request: Request, _signal: AbortSignal) => {
    const { method, path, body = '{}', contentType } = request
    const [place = '', query = ''] = path.split('?')
    const sent: unknown = JSON.parse(body)
    if (!isObject(sent)) throw new Error('no object')
    this.asked.push(`${method} ${place}`)
    const refusal = this.refused.get(place)
    if (refusal) throw refusal
    if (method === 'POST') {
      this.events.push(sent)
      return { status: 201, object: sent }
    }
    if (contentType === 'application/strategic-merge-patch+json') {
      this.letGo.push(`${place} ${stringAt(sent, 'metadata', 'uid')}`)
      return { status: 200, object: sent }
    }
    if (method === 'DELETE') return this.remove(place, sent)
    return { status: 200, object: this.apply(place, sent, query.includes('force=true')) }
  }

  put(path: string, object: JsonObject): void {
    this.made += 1
    this.objects.set(path, withAt(object, ['metadata', 'uid'], `u-${this.made}`))
  }

  private remove(path: string, sent: JsonObject) {
    const uid = stringAt(this.objects.get(path), 'metadata', 'uid')
    const isSame = uid === stringAt(sent, 'preconditions', 'uid')
    if (isSame) this.objects.delete(path)
    return { status: isSame ? 200 : 409, object: {} }
  }

  private apply(path: string, sent: JsonObject, isForced: boolean): JsonObject {
    const live = this.objects.get(path)
    const uid = stringAt(sent, 'metadata', 'uid')
    const isMeant = uid === undefined || uid === stringAt(live, 'metadata', 'uid')
    if (!isMeant || (live && !isForced)) throw new Refusal(409, 'conflict')
    if (live) this.objects.set(path, withAt(sent, ['metadata', 'uid'], uid))
    else this.put(path, sent)
    return this.objects.get(path) ?? {}
  }
}
