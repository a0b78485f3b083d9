// Pods that are created all the time, by dry runs: they come through admission as all do, and nothing has to run them.

import { setTimeout as pause } from 'node:timers/promises'
import { SIDECAR_CONTAINER } from '../../shared/names.ts'
import { at, list, type Api, type Reply } from './api.ts'
import { serverPod } from './pods.ts'

/** One who creates a pod, waits for the reply, and creates the next when it is due. */
export interface Creator {
  readonly namespace: string
  /** Those of an opted-in server where absent. */
  readonly annotations?: Readonly<Record<string, string>>
}

export interface DryCreates {
  /** From one pod of a creator to the next. Where a reply takes longer than half of it, as long again is waited: a machine that has
   * too much to do is not given more. */
  readonly everyMs: number
  /** Is told of each reply; what is thrown ends all of it. */
  readonly hear: (reply: Reply) => void
}

/** Goes on until it is told to end; that resolves when the last reply has come. */
export const startCreating = (
  api: Api,
  creators: readonly Creator[],
  { everyMs, hear }: DryCreates,
): (() => Promise<void>) => {
  const over = new AbortController()
  const create = async ({ namespace, annotations }: Creator): Promise<void> => {
    const pod = serverPod('made', annotations ? { annotations } : {})
    while (!over.signal.aborted) {
      const from = performance.now()
      hear(await api.create(pod, namespace, '?dryRun=All'))
      const tookMs = performance.now() - from
      await pause(Math.max(tookMs, everyMs - tookMs))
    }
  }
  const all = Promise.all(creators.map(create)).finally(() => over.abort())
  // Whoever ends it gets the failure; nobody else is to be struck by it.
  all.catch(() => undefined)
  return async () => {
    over.abort()
    await all
  }
}

export const hasSidecar = ({ body }: Reply): boolean =>
  list(body, 'spec', 'initContainers').some((one) => at(one, 'name') === SIDECAR_CONTAINER)

/** Of replies that are no created pod, what they say. */
export const refusals = (replies: readonly Reply[]): readonly unknown[] =>
  replies
    .filter(({ status }) => status !== 201)
    .map(({ status, body }) => [status, body['message']])
