// Tags that were looked up and lead elsewhere by now: seen every quarter of an hour, while its replica leads, so that pods which
// are made anew get what their author has pushed, as without an index. Only tags that the controller has found itself, and that
// anybody may read: what people have recorded is theirs. What cannot be read stays as it is.

import type { ClusterConfig } from '../cluster/config.ts'
import { parseReference } from '../images/reference.ts'
import { clusterWords } from '../kube/words.ts'
import { Allowance } from './allowance.ts'
import type { Tools } from './followed.ts'
import type { FoundImages, FoundTag } from './found-images.ts'
import type { PodReader } from './pod-reader.ts'

export interface MovedTagsOptions extends Pick<Tools, 'log' | 'now' | 'sleep'> {
  readonly config: () => ClusterConfig
  readonly index: FoundImages
  readonly reader: PodReader
  readonly timeout?: (ms: number) => AbortSignal
}

const EVERY_MS = 15 * 60_000
/** For all that is asked of one tag. */
const LONGEST_MS = 60_000
/** Images that are read within an hour since their tag has moved. */
const MAX_READ = 400
export const MAX_NAMESPACE_READ = 40

export class MovedTags {
  private readonly options: MovedTagsOptions
  private readonly allowance = new Allowance(MAX_READ, MAX_NAMESPACE_READ)

  constructor(options: MovedTagsOptions) {
    this.options = options
  }

  /** Looks until the signal is given. */
  async run(signal: AbortSignal): Promise<void> {
    const { sleep, log } = this.options
    while (!signal.aborted) {
      await sleep(EVERY_MS, signal)
      try {
        await this.look(signal)
      } catch (error) {
        if (!signal.aborted) {
          log.warn('tags were not all looked at', { error: clusterWords(error) })
        }
      }
    }
  }

  private isOver(signal: AbortSignal): boolean {
    return signal.aborted || !this.options.config().floor.resolveImages
  }

  private async look(signal: AbortSignal): Promise<void> {
    if (this.isOver(signal)) return
    const found = await this.options.index.tags(signal)
    if (!found.ok) throw new Error(found.error)
    for (const tag of found.value) {
      if (this.isOver(signal)) return
      await this.one(tag, signal)
    }
  }

  private async one(found: FoundTag, signal: AbortSignal): Promise<void> {
    const reference = parseReference(found.tag)
    if (!reference.ok) return
    const { reader, index, log, now, timeout = (ms) => AbortSignal.timeout(ms) } = this.options
    const { namespace, tag } = found
    const within = AbortSignal.any([signal, timeout(LONGEST_MS)])
    const opened = reader({ namespace, pullSecrets: [] }, within)
    try {
      const digest = await opened.digestOf(reference.value)
      const hasMoved = digest.ok && digest.value !== undefined && digest.value !== found.digest
      if (!hasMoved || !this.allowance.take(namespace, now())) return
      const read = await opened.read(reference.value, [])
      const written = read.ok ? await index.move(found, read.value, signal) : read
      if (written.ok) log.info('a tag has moved', { namespace, tag, from: found.digest })
      else
        log.warn('a tag has moved, and stays as it was', { namespace, tag, error: written.error })
    } finally {
      opened.close()
    }
  }
}
