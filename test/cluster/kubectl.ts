// kubectl for tests: what an HTTP request alone cannot do (exec, logs, wait, apply of YAML files).

import { attempt, run, type Ended } from './machine/run.ts'
import type { Target } from './target.ts'

export interface Kubectl {
  /** Runs to the end and gives stdout; throws on failure. */
  readonly run: (...args: readonly string[]) => Promise<string>
  /** Runs to the end, whatever comes of it. */
  readonly attempt: (...args: readonly string[]) => Promise<Ended>
  /** Waits until a pod is Ready; kubectl's own patience is half a minute. */
  readonly ready: (namespace: string, pod: string) => Promise<void>
  /** Applies YAML or JSON text. */
  readonly apply: (text: string, ...args: readonly string[]) => Promise<string>
}

const READY = ['--for=condition=Ready', '--timeout=180s']

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
    ready: async (namespace, pod) =>
      void (await run(argv(['-n', namespace, 'wait', ...READY, `pod/${pod}`]))),
    apply: (text, ...args) => run(argv(['apply', '-f', '-', ...args]), { input: text }),
  }
}
