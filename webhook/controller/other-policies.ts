// Somebody else's NetworkPolicies, by namespace, as much of each as is compared with ours. Bounded in number and in size; of one
// that says more than is compared its selector alone is known, and of one that has no room its name: whom it selects and what it
// opens nobody can tell. Pure.

import { isObject, objectAt, stringAt, type JsonObject } from '../../shared/json.ts'
import { SERVER_LABEL } from '../../shared/names.ts'
import { Room, textSize } from '../cluster/room.ts'
import { isCompanionOf } from '../cluster/companion-name.ts'
import type { OtherPolicy } from '../companions/other-policy.ts'
import { isManaged } from './standing.ts'

/** Without `text` it is one of ours, by now at least. */
export interface SeenPolicy {
  readonly namespace: string
  readonly name: string
  readonly text: string | undefined
}

/** Whoever may write policies decides how many there are, and how much each says: of all together, and of one namespace. */
export const MAX_POLICIES = 20_000
export const MAX_NAMESPACE_POLICIES = 200
export const MAX_BYTES = 10_000_000
export const MAX_NAMESPACE_BYTES = 500_000
/** Of one. */
const MAX_TEXT = 16_384

const textOf = (spec: JsonObject): string => {
  const whole = JSON.stringify({ selector: objectAt(spec, 'podSelector'), spec })
  if (whole.length <= MAX_TEXT) return whole
  const selector = JSON.stringify({ selector: objectAt(spec, 'podSelector') })
  return selector.length <= MAX_TEXT ? selector : '{}'
}

/** What bears our label under another name than a companion's is somebody's copy, and opens what it says. */
export const seenPolicy = (object: JsonObject): SeenPolicy => {
  const labels = objectAt(object, 'metadata', 'labels')
  const name = stringAt(object, 'metadata', 'name') ?? ''
  const isOurs = isManaged({ labels }) && isCompanionOf(stringAt(labels, SERVER_LABEL) ?? '', name)
  return {
    namespace: stringAt(object, 'metadata', 'namespace') ?? '',
    name,
    text: isOurs ? undefined : textOf(objectAt(object, 'spec')),
  }
}

const policyFrom = (name: string, text: string): OtherPolicy => {
  const said: unknown = JSON.parse(text)
  const whole = isObject(said) ? said : {}
  const { spec } = whole
  return { name, selector: objectAt(whole, 'selector'), spec: isObject(spec) ? spec : undefined }
}

export class OtherPolicies {
  private readonly byNamespace = new Map<string, Map<string, string>>()
  /** Names by namespace. */
  private readonly missing = new Map<string, Set<string>>()
  private readonly missed = new Room(MAX_POLICIES, MAX_POLICIES)
  private readonly names = new Room(MAX_POLICIES, MAX_NAMESPACE_POLICIES)
  private readonly texts = new Room(MAX_BYTES, MAX_NAMESPACE_BYTES)

  get leftOut(): number {
    return this.missing.values().reduce((sum, names) => sum + names.size, 0)
  }

  of(namespace: string): readonly OtherPolicy[] {
    const own = this.byNamespace.get(namespace) ?? new Map<string, string>()
    const missing =
      this.missing.get(namespace)?.values().take(MAX_NAMESPACE_POLICIES).toArray() ?? []
    return [
      ...[...own].map(([name, text]) => policyFrom(name, text)),
      ...missing.map((name) => ({ name, selector: {}, spec: undefined })),
    ]
  }

  put(seen: SeenPolicy): void {
    this.remove(seen)
    const { namespace, name, text } = seen
    if (text === undefined) return
    if (!this.take(namespace, text)) return this.miss(namespace, name)
    const own = this.byNamespace.get(namespace) ?? new Map<string, string>()
    own.set(name, text)
    this.byNamespace.set(namespace, own)
  }

  remove({ namespace, name }: Pick<SeenPolicy, 'namespace' | 'name'>): void {
    this.found(namespace, name)
    const own = this.byNamespace.get(namespace)
    const text = own?.get(name)
    if (!own || text === undefined) return
    own.delete(name)
    if (own.size === 0) this.byNamespace.delete(namespace)
    this.names.release(namespace, 1)
    this.texts.release(namespace, textSize(text))
  }

  private miss(namespace: string, name: string): void {
    if (!this.missed.takeShare(namespace, 1)) return
    const names = this.missing.get(namespace) ?? new Set<string>()
    names.add(name)
    this.missing.set(namespace, names)
  }

  private found(namespace: string, name: string): void {
    const names = this.missing.get(namespace)
    if (!names?.delete(name)) return
    if (names.size === 0) this.missing.delete(namespace)
    this.missed.release(namespace, 1)
  }

  private take(namespace: string, text: string): boolean {
    if (!this.names.take(namespace, 1)) return false
    if (this.texts.take(namespace, textSize(text))) return true
    this.names.release(namespace, 1)
    return false
  }
}
