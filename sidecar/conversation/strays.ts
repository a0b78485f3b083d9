// What a server has written that names nobody: perhaps it was to be an answer. The last of it explains a call that gets
// none; the log has heard of each kind.

import { oneLine } from '../../shared/one-line.ts'
import type { Response } from '../mcp/message.ts'
import { ownNumberInAnySpelling } from '../mcp/own-id.ts'
import type { Remarks } from '../mcp/tolerance.ts'
import type { Link } from '../server/link.ts'
import { saidIn } from './answer.ts'

export class Strays {
  private readonly remarks: Remarks
  private readonly link: Pick<Link, 'process'>
  /** The last of them, in words. */
  last: string | undefined

  constructor(remarks: Remarks, link: Pick<Link, 'process'>) {
    this.remarks = remarks
    this.link = link
  }

  /** A line that cannot be used: how it begins, and why. */
  line(start: string, why: string): void {
    if (start !== '') this.last = `${start} (${why})`
  }

  /** An answer to nobody: late, where its number has been one of ours. */
  answer(idText: string, lastId: number): void {
    const id = ownNumberInAnySpelling(idText)
    if (id !== undefined && id <= lastId) return
    const said = oneLine(Buffer.from(idText, 'latin1').toString())
    this.last = `an answer with the id ${said}, which is no request's`
    this.remarks.odd('unknown-id', said, this.link.process)
  }

  error(response: Response): void {
    const said = saidIn(response)
    this.last = `${said} (an error that does not say to which request)`
    this.remarks.odd('error-without-id', said, this.link.process)
  }
}
