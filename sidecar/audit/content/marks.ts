// What stands in a record in the place of something that was left out: its size, and a digest by a key, which tells equal
// values from others and cannot be reversed by trying all card numbers. Pure.

import { createHmac } from 'node:crypto'

const DIGEST_LENGTH = 22
/** How the mark of what was left out begins. */
export const REDACTED = '[redacted: '

export class Marks {
  private readonly key: Buffer

  constructor(key: Buffer) {
    this.key = key
  }

  /** In the place of something that is nobody's business. */
  redacted(text: string): string {
    return `${REDACTED}${this.measures(text)}]`
  }

  /** In the place of something that is too long. */
  cut(text: string): string {
    return `[cut: ${this.measures(text)}]`
  }

  private measures(text: string): string {
    const digest = createHmac('sha256', this.key).update(text).digest('base64url')
    return `${Buffer.byteLength(text)} bytes, hmac ${digest.slice(0, DIGEST_LENGTH)}`
  }
}
