// The contract: what a client hears of a server when it does what a user's does, the same whichever way they talk.

import type { Launch } from './install.ts'

export type Step = { readonly step: string } & (
  { readonly result: unknown } | { readonly error: unknown }
)

/** Where the server is: a process of the client's own, or a URL. */
export type Way = { readonly launch: Launch } | { readonly url: string }

export interface Call {
  readonly tool: string
  readonly args: Readonly<Record<string, unknown>>
}

/** Nothing else that a client says of a server looks so. */
export const REVISION = /^\d{4}-\d\d-\d\d$/

export const NO_TOOL = 'no-such-tool'

/** The steps, each a question; an error is an answer as well. */
export const walk = async (
  questions: readonly (readonly [step: string, ask: () => Promise<unknown>])[],
  errorOf: (error: unknown) => unknown,
): Promise<Step[]> => {
  const steps: Step[] = []
  for (const [step, ask] of questions) {
    steps.push(
      await ask().then(
        (result) => ({ step, result }),
        (error: unknown) => ({ step, error: errorOf(error) }),
      ),
    )
  }
  return steps
}

/** The revision that a client says it speaks with the server; undefined where it does not say. */
export const revisionIn = ([first]: readonly Step[]): string | undefined => {
  const said = first && 'result' in first && Array.isArray(first.result) ? first.result : []
  return said.find((one) => typeof one === 'string' && REVISION.test(one))
}
