// Arguments checked against the tools' own schemas. A bundle of its own, with ajv and RE2.

import { ok } from '../../shared/result.ts'
import type { VettingPart } from '../conversation/vetting.ts'
import { CheckedProcess } from './checked-process.ts'
import { Schemas } from './schemas.ts'

export const startValidation = (now: () => number): VettingPart => {
  const schemas = new Schemas()
  return {
    over: (channel, beside) => new CheckedProcess(channel, { schemas, now, beside }),
    first: (_method, answer) => ok(answer),
  }
}
