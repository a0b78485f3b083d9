// Whose the time of a busy sidecar is: a CPU profile as V8 writes it, summed by where the code comes from. Pure.

import { z } from 'zod'

/** The parts of the time that was not idle; together 1. */
export type Shares = {
  /** JavaScript of the bundle: ours, and the few libraries in it. */
  readonly ours: number
  /** JavaScript of Node itself: streams, timers, HTTP. */
  readonly node: number
  /** Everything else of the process: system calls, parsers, copies. */
  readonly native: number
  readonly collection: number
}

const Profile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string() }),
    }),
  ),
  samples: z.array(z.number()),
  /** Microseconds before each sample. */
  timeDeltas: z.array(z.number()),
})

type Frame = { readonly functionName: string; readonly url: string }

const IDLE = '(idle)'

const partOf = ({ functionName, url }: Frame): keyof Shares => {
  if (functionName === '(garbage collector)') return 'collection'
  if (url.startsWith('node:')) return 'node'
  return url === '' ? 'native' : 'ours'
}

/** Of the later half of the busy samples: in the earlier ones Node still compiles. Throws at what is no profile. */
export const sharesOf = (text: string): Shares => {
  const { nodes, samples, timeDeltas } = Profile.parse(JSON.parse(text))
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]))
  const busy = samples.flatMap((id, index) => {
    const frame = frames.get(id)
    if (frame === undefined || frame.functionName === IDLE) return []
    return [{ part: partOf(frame), microseconds: timeDeltas[index] ?? 0 }]
  })
  const late = busy.slice(Math.floor(busy.length / 2))
  const sum = { ours: 0, node: 0, native: 0, collection: 0 }
  for (const { part, microseconds } of late) sum[part] += microseconds
  const all = sum.ours + sum.node + sum.native + sum.collection
  return {
    ours: sum.ours / all,
    node: sum.node / all,
    native: sum.native / all,
    collection: sum.collection / all,
  }
}
