// Arguments checked against the tools' own schemas. A bundle of its own, with ajv and RE2.

import type { Log } from '../../shared/log.ts'
import { ok } from '../../shared/result.ts'
import type { VettingPart } from '../conversation/vetting.ts'
import { CheckedProcess } from './checked-process.ts'
import { Schemas } from './schemas.ts'

const MAX_TOLD = 64
const MAX_NAME = 256

/** Each is told once, of a server that can make up as many as it likes. */
const teller = (log: Log): ((tool: string, why: string) => void) => {
  const told = new Set<string>()
  return (tool, why) => {
    const name = tool.slice(0, MAX_NAME)
    if (told.size >= MAX_TOLD || told.has(name)) return
    told.add(name)
    log.warn("every call of a tool is refused: nobody can check by the tool's own input schema", {
      tool: name,
      why,
    })
  }
}

export interface ValidationParts {
  readonly now: () => number
  readonly log: Log
}

export const startValidation = ({ now, log }: ValidationParts): VettingPart => {
  const schemas = new Schemas()
  const onUncheckable = teller(log)
  return {
    over: (channel, beside) => new CheckedProcess(channel, { schemas, now, beside, onUncheckable }),
    first: (_method, answer) => ok(answer),
  }
}
