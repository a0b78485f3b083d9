// What of a request goes on record while it is with the server, where records are kept.

import type { Response } from '../mcp/message.ts'
import type { OnRecord } from '../server/underway.ts'

export interface CallRecord extends OnRecord {
  /** It goes to the server, to this process. */
  sent(process: number | undefined): void
  /** The server has answered, or will not; `errorType` as in the metrics. */
  answered(errorType: string | undefined, response: Response | undefined): void
}
