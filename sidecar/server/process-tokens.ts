// The tokens of server processes, each its caller's own for another service: whoever exchanges them, where somebody does.

import type { Result } from '../../shared/result.ts'
import type { Principal } from '../access/principal.ts'
import type { Fault } from '../mcp/faults.ts'

export interface ProcessTokens {
  /**
   * What a process begins with that starts for this caller. From now on, until it has gone, it is given each that there is; an empty
   * text: it has none any more.
   */
  readonly begin: (
    process: number,
    caller: Principal,
    give: (token: string) => void,
  ) => Promise<Result<string, Fault>>
  /** What was given last could not be put where it reads it. */
  readonly failed: (process: number, why: string) => void
  /** It has gone, or never comes. */
  readonly gone: (process: number) => void
}
