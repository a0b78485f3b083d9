// kubectl for tests: what an HTTP request alone cannot do (exec, logs, wait, apply of YAML files).

import { attempt, run, type Ended } from './machine/run.ts'
import type { Target } from './target.ts'

export interface Kubectl {
  /** Runs to the end and gives stdout; throws on failure. */
  readonly run: (...args: readonly string[]) => Promise<string>
  /** Runs to the end, whatever comes of it. */
  readonly attempt: (...args: readonly string[]) => Promise<Ended>
  /** Applies YAML or JSON text. */
  readonly apply: (text: string, ...args: readonly string[]) => Promise<string>
}

/** kubectl as the cluster's admin. */
export const createKubectl = (target: Target): Kubectl => {
  const argv = (args: readonly string[]): readonly string[] => [
    target.kubectl,
    '--kubeconfig',
    target.kubeconfig,
    ...args,
  ]
  return {
    run: (...args) => run(argv(args)),
    attempt: (...args) => attempt(argv(args)),
    apply: (text, ...args) => run(argv(['apply', '-f', '-', ...args]), { input: text }),
  }
}
