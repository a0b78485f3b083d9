// Somebody gets into a running pod: exec, attach, port-forward, proxy. The request carries no pod, so that every one of a
// namespace that opts in is judged alike; elsewhere those with a server of ours: denied in `strict`, else on record. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import { isInAny } from '../cluster/asker.ts'
import type { ClusterConfig } from '../cluster/config.ts'
import { isSystem, type Namespace } from '../cluster/namespace.ts'
import type { Deny } from '../inject/outcome.ts'
import { asViolation, asWarning } from '../rules/admit.ts'
import { quoted } from '../rules/finding.ts'
import { sortBreaches, type Breach } from '../rules/judge.ts'
import type { Ruling } from '../rules/ruling.ts'
import { allowed, type Allow } from './verdict.ts'

export interface Connection {
  /** `exec`, `attach`, `portforward`, `proxy`. */
  readonly how: string
  /** The pod's name. */
  readonly name: string
  readonly options: JsonObject
  /** The groups of whoever asks. */
  readonly groups: readonly string[]
  /** Whether there is a server of ours in the pod, or may be. */
  readonly isInjected: boolean
}

const breachBy = ({ how, name, options }: Connection): Breach => {
  const container = stringAt(options, 'container')
  const inside = container === undefined ? '' : ` into container ${quoted(container)}`
  return { rule: 'connections', where: `pod ${quoted(name)}`, found: `${how}${inside}` }
}

/** Decides on a connection. */
export const judgeConnection = (
  connection: Connection,
  namespace: Namespace,
  config: ClusterConfig,
): Ruling<Allow | Deny> => {
  if (isSystem(namespace, config)) {
    return { decided: allowed('system-namespace'), recorded: [] }
  }
  if (!connection.isInjected) return { decided: allowed('not-injected'), recorded: [] }
  const breach = breachBy(connection)
  const { enforce, warn } = sortBreaches([breach], namespace, config)
  const warnings = warn.map(asWarning)
  const breaksGlass = isInAny(connection, config.floor.allowBreakGlass)
  if (enforce.length > 0 && !breaksGlass) {
    return {
      decided: { kind: 'deny', violations: enforce.map(asViolation), warnings },
      recorded: [],
      warned: warn,
    }
  }
  const reason = enforce.length > 0 ? 'break-glass' : 'complies'
  return { decided: allowed(reason, warnings), recorded: [breach], warned: warn }
}
