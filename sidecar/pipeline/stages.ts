// The stages of one sidecar, each with what it decides by.

import type { Recorder } from '../audit/recorder.ts'
import type { Budget } from '../bytes/budget.ts'
import type { Guards } from '../guards/guards.ts'
import type { Trust } from '../identity/trust.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import type { Gate } from '../policy/gate.ts'
import type { Router } from '../routing/router.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import type { Tracing } from '../telemetry/tracing.ts'
import { audit } from './audit.ts'
import { authenticate } from './authenticate.ts'
import { authorize } from './authorize.ts'
import { body } from './body.ts'
import { classify } from './classify.ts'
import { forward } from './forward.ts'
import { guard } from './guard.ts'
import { head } from './head.ts'
import { origin, type OriginRules } from './origin.ts'
import type { Stages } from './pipeline.ts'
import { scopes } from './scopes.ts'
import type { Fork } from './stage.ts'

export interface StageParts {
  readonly rules: OriginRules
  readonly remarks: Remarks
  /** Undefined where everybody is let in. */
  readonly trust: Trust | undefined
  readonly budget: Budget
  readonly tracing: Tracing | undefined
  readonly metrics: Pick<Metrics, 'operations'>
  /** Undefined where everybody may do everything. */
  readonly policy: { readonly gate: Gate } | undefined
  /** Undefined where nothing is limited. */
  readonly guards: Guards | undefined
  /** Undefined where no records are kept. */
  readonly recorder: Recorder | undefined
  readonly router: Router
  /** Undefined where there is one replica alone. */
  readonly replica: Fork | undefined
}

export const stagesOf = (parts: StageParts): Stages => {
  const { rules, remarks, trust, budget, tracing, policy, guards, recorder, router } = parts
  const { operations } = parts.metrics
  return {
    origin: origin(rules),
    head: head(remarks),
    authenticate: authenticate(trust?.callerOf),
    scopes: scopes(trust?.resource),
    body: body(budget),
    replica: parts.replica,
    classify: classify({ tracing, operations, remarks }),
    authorize: authorize(policy?.gate),
    guard: guard(guards),
    audit: audit(recorder),
    forward: forward(router),
  }
}
