// Looks up images that pods were denied for, since they name no command and the index knows none: with the floor's
// `resolveImages`, while its replica leads. What the registry says is added to the index, and the pod comes up by its owner's
// next try. Bounded in how many, how long and for whom; one look-up of a namespace at a time, and by turns between them, so
// that a slow registry has nobody else wait for long. Fails closed: what cannot be looked up is told its owner, and the pod stays denied.

import { stringAt } from '../../shared/json.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import type { ImageIndex } from '../../shared/image-index.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import { parseReference, recordedOf, type Reference } from '../images/reference.ts'
import { accessTo } from '../images/registries.ts'
import type { Requests } from '../kube/requests.ts'
import { clusterWords } from '../kube/words.ts'
import { Allowance } from './allowance.ts'
import type { DeniedOwner } from './denied-owners.ts'
import type { Events, Told } from './events.ts'
import type { Tools } from './followed.ts'
import type { FoundImages } from './found-images.ts'
import { OwnerQueue, type Follow } from './owner-queue.ts'
import { ownerPath, type Owners } from './owners.ts'
import type { PodReader } from './pod-reader.ts'
import type { Puller } from './pull-secrets.ts'
import { unreadWords } from './told-words.ts'
import { NOTHING, wantedBy, type WantedImages } from './wanted-images.ts'

export interface LookUpsOptions extends Tools {
  readonly config: () => ClusterConfig
  /** Undefined before namespaces are listed. */
  readonly namespaces: () => { get(name: string): Namespace | undefined } | undefined
  readonly requests: Requests
  readonly owners: Owners
  readonly events: Events
  readonly index: FoundImages
  readonly follow: Follow
  readonly reader: PodReader
  readonly counted: (result: 'read' | 'failed') => void
  readonly timeout?: (ms: number) => AbortSignal
}

/** For all that is asked of one image. */
const LONGEST_MS = 60_000
const AT_ONCE = 2
/** Within an hour, those that failed included. */
const MAX_LOOK_UPS = 1200
export const MAX_NAMESPACE_LOOK_UPS = 60

/** What is to be asked of the registry; undefined where the index has it. A tag stays what it was recorded as. */
const lacking = (reference: Reference, index: ImageIndex): Reference | undefined => {
  const { digest, platforms } = recordedOf(reference, index)
  if (digest === undefined) return reference
  return platforms ? undefined : { ...reference, tag: undefined, digest }
}

export class LookUps {
  private readonly options: LookUpsOptions
  private readonly owners: OwnerQueue
  private readonly allowance = new Allowance(MAX_LOOK_UPS, MAX_NAMESPACE_LOOK_UPS)
  /** Namespaces for which one is under way. */
  private readonly busy = new Set<string>()

  constructor(options: LookUpsOptions) {
    this.options = options
    const { config, namespaces } = options
    this.owners = new OwnerQueue({
      ...options,
      atOnce: AT_ONCE,
      isAsked: () => config().floor.resolveImages && namespaces() !== undefined,
      work: (denied, signal) => this.look(denied, signal),
    })
  }

  /** Looks up what is asked for until the signal is given. */
  run(signal: AbortSignal): Promise<void> {
    return this.owners.run(signal)
  }

  /** Whether nothing is left to do for an owner. */
  private async look(denied: DeniedOwner, signal: AbortSignal): Promise<boolean> {
    const { namespace } = denied
    if (this.busy.has(namespace)) return false
    this.busy.add(namespace)
    try {
      const wanted = await this.wantedOf(denied, signal)
      return wanted.images.length === 0 || (await this.every(wanted, denied, signal))
    } catch (error) {
      if (!signal.aborted) {
        const { log } = this.options
        log.warn('images could not be looked up', { namespace, error: clusterWords(error) })
      }
      return false
    } finally {
      this.busy.delete(namespace)
    }
  }

  /** What its pods were denied for, by the object as it is now. */
  private async wantedOf(denied: DeniedOwner, signal: AbortSignal): Promise<WantedImages> {
    const { config, namespaces, requests } = this.options
    const namespace = namespaces()?.get(denied.namespace)
    if (!namespace || !config().floor.resolveImages) return NOTHING
    const object = await requests.get(ownerPath(denied), signal)
    const { kind, apiVersion, uid } = denied.owner
    if (!object || stringAt(object, 'metadata', 'uid') !== uid) return NOTHING
    return wantedBy({ ...object, kind, apiVersion }, namespace, config())
  }

  private async every(
    { images, ...pulled }: WantedImages,
    denied: DeniedOwner,
    signal: AbortSignal,
  ): Promise<boolean> {
    const puller = { namespace: denied.namespace, ...pulled }
    const said: Told[] = []
    for (const image of images) {
      const done = await this.one(image, puller, signal)
      if (!done.ok) said.push(unreadWords(image, done.error))
    }
    if (said.length === 0) return true
    const { owners, events } = this.options
    const root = await owners.rootOf(denied, () => false, signal)
    if (root) await events.tell(denied.namespace, root, said, signal)
    return false
  }

  private async one(
    image: string,
    puller: Puller,
    signal: AbortSignal,
  ): Promise<Result<undefined, string>> {
    const { index, log, now, counted, config } = this.options
    const reference = parseReference(image)
    if (!reference.ok) return reference
    const known = await index.read(signal)
    if (!known.ok) return known
    const asked = lacking(reference.value, known.value)
    if (!asked) return ok(undefined)
    const { namespace } = puller
    // Where nobody is asked for it, it is in no other's way.
    const isListed = accessTo(asked.host, config().registries).ok
    if (isListed && !this.allowance.take(namespace, now())) {
      return fail('too many images were looked up within an hour; it is tried again')
    }
    const read = await this.read(asked, puller, signal)
    const written = read.ok ? await index.add(namespace, read.value, signal) : read
    counted(written.ok ? 'read' : 'failed')
    if (written.ok) log.info('an image was looked up', { namespace, image: image.slice(0, 1024) })
    return written
  }

  private async read(
    reference: Reference,
    puller: Puller,
    signal: AbortSignal,
  ): Promise<Result<ImageIndex, string>> {
    const { reader, timeout = (ms) => AbortSignal.timeout(ms) } = this.options
    const late = timeout(LONGEST_MS)
    const opened = reader(puller, AbortSignal.any([signal, late]))
    try {
      const read = await opened.read(reference, [])
      return read.ok || !late.aborted ? read : fail(`it took longer than ${LONGEST_MS / 1000} s`)
    } catch (error) {
      return fail(messageOf(error))
    } finally {
      opened.close()
    }
  }
}
