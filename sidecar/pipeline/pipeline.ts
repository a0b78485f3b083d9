// The way of every request, top to bottom. The order is the security argument; each line says why it
// stands where it does.

import type { Fork, Passage, Stage } from './stage.ts'

export interface Stages {
  readonly origin: Stage
  readonly head: Stage
  readonly authenticate: Stage
  readonly scopes: Stage
  readonly body: Stage
  /** Undefined where there is one replica alone. */
  readonly replica: Fork | undefined
  readonly classify: Stage
  readonly authorize: Stage
  readonly guard: Stage
  readonly audit: Stage
  readonly forward: Stage
}

/** The list. */
export const pipeline = (stages: Stages): readonly Fork[] => [
  stages.origin, // a browser that was tricked into calling us learns nothing, not even limits
  stages.head, // nothing is read of what we would not understand
  stages.authenticate, // who calls, which the head says: nobody unknown makes us read a body
  stages.scopes, // what every call needs: nobody without it makes us read a body either
  stages.body, // nothing is read that is not bounded
  ...(stages.replica ? [stages.replica] : []), // whose session another replica holds goes there, with who calls
  stages.classify, // from here on everybody judges the same message, read once
  stages.authorize, // what they may; makes the permit that forward demands
  stages.guard, // rates and breakers cost callers, so they come after knowing whose they are
  stages.audit, // what goes on is on record from here on, and nothing goes on that could not be
  stages.forward, // the answer is on its way when this returns
]

/** What another replica sends has come its way there up to `replica`; it never goes on to a third. */
export const fromReplica = (stages: Stages, voucher: Stage): readonly Fork[] => [
  stages.head, // no message is read but in its form
  stages.body, // and within its bounds
  voucher, // who calls, as the other replica has found out, for this request alone
  stages.classify,
  stages.authorize,
  stages.guard,
  stages.audit,
  stages.forward,
]

/** Runs the stages in order; a promise only from where a stage has to wait, so that nobody else takes a turn for it. */
export const run = (stages: readonly Fork[], passage: Passage, first = 0): ReturnType<Fork> => {
  for (let place = first; place < stages.length; place++) {
    const found = stages[place]?.(passage)
    if (found instanceof Promise) {
      return found.then((fault) => fault ?? run(stages, passage, place + 1))
    }
    if (found) return found
  }
  return undefined
}
