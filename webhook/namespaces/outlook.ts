// What becomes of a namespace's running pods when they are made anew, by workload: they stay as they are until then,
// whatever its labels say. Bounded in workloads, names and time, with a count of what was not looked at. Pure but for the clock.

import {
  CONFIG_VARIABLE,
  INJECTED_LABEL,
  SERVER_LABEL,
  STATUS_ANNOTATION,
} from '../../shared/names.ts'
import { at, isSame, objectsAt, stringAt, withAt, type JsonObject } from '../../shared/json.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import type { Namespace } from '../cluster/namespace.ts'
import type { Outcome } from '../inject/outcome.ts'
import { ownSidecar } from '../inject/pod.ts'
import { workloadOf } from '../inject/server-label.ts'
import type { Workload } from '../inject/subject.ts'
import { admit } from '../rules/admit.ts'
import type { NamespaceChange } from './change.ts'

export type Fate =
  /** With a sidecar that those that run have not, or have otherwise. */
  | { readonly kind: 'sidecar' }
  /** Without the one that those that run have. */
  | { readonly kind: 'bare' }
  | { readonly kind: 'denied'; readonly why: string }
  /** Left alone, in a namespace that opts in. */
  | { readonly kind: 'no-server' }
  | { readonly kind: 'same' }
  /** Nobody has looked: there was no time. */
  | { readonly kind: 'unknown' }

export interface Outlook {
  /** That of a pod that nobody controls is the pod. */
  readonly workload: Workload
  /** Of the pods that run, the names of the first few. */
  readonly pods: readonly string[]
  readonly count: number
  readonly fate: Fate
}

export interface Outlooks {
  readonly workloads: readonly Outlook[]
  /** Why there may be pods that nobody has looked at; undefined where there are none. */
  readonly cut: string | undefined
}

const MAX_WORKLOADS = 200
const MAX_PODS_TOLD = 50
/** All of them hold up everybody else's reviews for so long at the most, and one more. */
const MAX_BUSY_MS = 250

/** What a pod has once it runs, and its template has not: our marks, and the node that the scheduler chose. */
const LATER = [
  ['spec', 'nodeName'],
  ['metadata', 'labels', INJECTED_LABEL],
  ['metadata', 'labels', SERVER_LABEL],
  ['metadata', 'annotations', STATUS_ANNOTATION],
] as const

/** The pod as its controller makes it anew, as far as a running one shows that. */
const anew = (pod: JsonObject): JsonObject =>
  LATER.reduce((object, path) => withAt(object, path, undefined), pod)

const ENDED: ReadonlySet<string | undefined> = new Set(['Succeeded', 'Failed'])

/** Whether it runs, or will: what is over or on its way out needs no word. */
const lives = (pod: JsonObject): boolean =>
  !ENDED.has(stringAt(pod, 'status', 'phase')) &&
  at(pod, 'metadata', 'deletionTimestamp') === undefined

const reasonOf = ({ violations }: Extract<Outcome, { kind: 'deny' }>): string => {
  const [first, ...more] = violations
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`
  return `${(first?.message ?? '').replace(/^pod: /, '')}${rest}`
}

/** What a pod's sidecar is told. */
const documentOf = (pod: JsonObject): string | undefined =>
  stringAt(
    objectsAt(ownSidecar(pod), 'env').find((entry) => entry['name'] === CONFIG_VARIABLE),
    'value',
  )

/** What becomes of a pod by a namespace's word, and what would have before. */
export const fateOf = (
  pod: JsonObject,
  { before, after }: Pick<NamespaceChange, 'before' | 'after'>,
  config: ClusterConfig,
): Fate => {
  const made = anew(pod)
  const outcomeIn = (namespace: Namespace) => admit(made, namespace, config).decided
  const [was, is] = [outcomeIn(before), outcomeIn(after)]
  const hasSidecar = ownSidecar(pod) !== undefined
  if (is.kind === 'deny') return was.kind === 'deny' ? SAME : { kind: 'denied', why: reasonOf(is) }
  if (is.kind === 'inject') {
    const isUnchanged = was.kind === 'inject' && isSame(was.pod, is.pod)
    const isKept = isUnchanged || documentOf(pod) === documentOf(is.pod)
    return hasSidecar && isKept ? SAME : { kind: 'sidecar' }
  }
  if (hasSidecar) return { kind: 'bare' }
  return is.reason === 'no-server' ? { kind: 'no-server' } : SAME
}
const SAME = { kind: 'same' } as const

const podName = (pod: JsonObject): string => stringAt(pod, 'metadata', 'name') ?? 'unnamed'

export interface LookOptions {
  readonly config: ClusterConfig
  /** Milliseconds of a steady clock. */
  readonly now: () => number
}

interface Entry {
  readonly workload: Workload
  readonly pods: string[]
  count: number
  readonly fate: Fate
}

/** Takes the pods of a namespace one after the other; of each workload the first speaks for all that are as it is. */
export class Lookout {
  private readonly entries = new Map<string, Entry>()
  private cut: string | undefined
  private busyMs = 0
  private readonly change: NamespaceChange
  private readonly options: LookOptions

  constructor(change: NamespaceChange, options: LookOptions) {
    this.change = change
    this.options = options
  }

  take(pod: JsonObject): void {
    if (!lives(pod)) return
    const workload = workloadOf(pod, undefined)
    // While a workload rolls out, some of its pods have a sidecar and others have none.
    const key = JSON.stringify([workload.kind, workload.name, ownSidecar(pod) !== undefined])
    const known = this.entries.get(key)
    if (known) {
      known.count += 1
      if (known.pods.length < MAX_PODS_TOLD) known.pods.push(podName(pod))
    } else if (this.entries.size >= MAX_WORKLOADS) {
      this.end(`there are more than ${MAX_WORKLOADS} workloads`)
    } else {
      this.entries.set(key, { workload, pods: [podName(pod)], count: 1, fate: this.judge(pod) })
    }
  }

  /** Whether no more is wanted. */
  get isOver(): boolean {
    return this.cut !== undefined
  }

  /** Whether nothing was taken that lives. */
  get isEmpty(): boolean {
    return this.entries.size === 0
  }

  /** There may be more, for a reason. */
  end(why: string): void {
    this.cut ??= why
  }

  found(): Outlooks {
    return { workloads: [...this.entries.values()], cut: this.cut }
  }

  private judge(pod: JsonObject): Fate {
    if (this.busyMs > MAX_BUSY_MS) return { kind: 'unknown' }
    const { config, now } = this.options
    const start = now()
    const fate = fateOf(pod, this.change, config)
    this.busyMs += now() - start
    return fate
  }
}
