// Arguments checked against the tools' own schemas. A bundle of its own, with ajv and RE2.

import { ok } from '../../shared/result.ts'
import type { Vetting } from '../conversation/vetting.ts'
import { CheckedProcess } from './checked-process.ts'
import { Schemas } from './schemas.ts'

export const startValidation = (now: () => number): Vetting => {
  const schemas = new Schemas()
  return {
    over: (channel) => new CheckedProcess(schemas, channel, now),
    first: (_method, answer) => ok(answer),
  }
}
