// What shows of the collections of the API server that a program follows: webhook and controller alike. What they are called
// is our own word.

import { Gauge, type Registry } from 'prom-client'

/** A collection of the API server that is followed. */
export interface Followed {
  readonly resource: string
  /** Milliseconds since the API server was last heard of it. */
  ageMs(): number
  current(): { readonly leftOut: number } | undefined
}

/** `followers` is asked each time: who has them may be made later. */
export const watchFollowers = (followers: () => readonly Followed[], registry: Registry): void => {
  const labelNames = ['resource'] as const
  const gauge = (name: string, help: string, valueOf: (each: Followed) => number): Gauge =>
    new Gauge({
      name,
      help,
      labelNames,
      registers: [registry],
      collect() {
        for (const each of followers()) this.set({ resource: each.resource }, valueOf(each))
      },
    })
  gauge(
    'outrigger_watch_age_seconds',
    'Seconds since the API server was last heard of a resource that is followed.',
    (each) => each.ageMs() / 1000,
  )
  gauge('outrigger_watch_listed', '1 where a resource that is followed has been listed.', (each) =>
    each.current() ? 1 : 0,
  )
  gauge(
    'outrigger_watch_left_out',
    'Objects of a resource that is followed for which there was no room.',
    (each) => each.current()?.leftOut ?? 0,
  )
}
