// Looks at the pods that run in a namespace, as long as whoever waits for the answer can. Never throws: a namespace is
// written whether its pods can be listed or not. Decides nothing.

import type { JsonObject } from '../../shared/json.ts'
import { messageOf } from '../../shared/message.ts'
import type { Asker } from '../cluster/asker.ts'
import type { RunningPods } from '../cluster/running-pods.ts'
import type { NamespaceChange } from './change.ts'
import type { Known } from './judge.ts'
import { Lookout, type LookOptions } from './outlook.ts'

export interface Watchers extends LookOptions {
  readonly pods: Pick<RunningPods, 'list' | 'mayList'> | undefined
  /** Who is told of what is found. */
  readonly asker: Asker
  /** Resolves after a time; never keeps the process. */
  readonly sleep: (ms: number) => Promise<unknown>
}

const MAX_PODS = 2000
/** The API server waits 5 s for the whole. */
const MAX_MS = 2000
const SLOW = 'it takes too long to list them, or other namespaces are listed first; try again'

const gather = async (pods: AsyncIterable<JsonObject>, lookout: Lookout): Promise<void> => {
  let count = 0
  for await (const pod of pods) {
    if (lookout.isOver) return
    lookout.take(pod)
    count += 1
    if (count === MAX_PODS) return lookout.end(`there are more than ${MAX_PODS}`)
  }
}

/** What becomes of the pods that run, or why that is not known. */
export const lookAtPods = async (
  change: NamespaceChange,
  { pods, asker, sleep, ...options }: Watchers,
): Promise<Known> => {
  if (!pods) return 'nobody can list them here'
  const lookout = new Lookout(change, options)
  const { name } = change.after
  const waiting = new AbortController()
  const over = sleep(MAX_MS)
  // Who could not list them is told of none by name.
  const mayList = pods.mayList(name, asker).catch(() => false)
  try {
    const gathered = gather(pods.list(name, waiting.signal), lookout)
    await Promise.race([gathered, over.then(() => lookout.end(SLOW))])
  } catch (error) {
    if (lookout.isEmpty) return messageOf(error)
    lookout.end(messageOf(error))
  } finally {
    waiting.abort()
  }
  const isNamed = await Promise.race([mayList, over.then(() => false)])
  return { ...lookout.found(), isNamed }
}
