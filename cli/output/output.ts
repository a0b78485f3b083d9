// One stream of the process, written so that nothing is lost without a word: what is written is out
// whole, or `end` says why not. A log is something else: its lines are left out, and counted, while
// nobody reads them, so that a program that serves neither waits nor grows for its log's sake.

import type { Writable } from 'node:stream'

export interface Output {
  /** Out whole, or `end` says that it is not. Never cut, however slow the reader. */
  readonly write: (text: string | Uint8Array) => void
  /** One line of a log, its end included; left out while the reader is far behind, and for good once it has gone. */
  readonly log: (line: string) => void
  /** Resolves when everything is out, or with the reason why not all of it is. What a log has lost is no reason. */
  readonly end: () => Promise<Error | undefined>
}

// What may wait for the reader of a log, in characters.
const MAX_WAITING = 1024 * 1024

export const createOutput = (stream: Writable): Output => {
  let fault: Error | undefined
  let isPartial = false
  let leftOut = 0
  let last: Promise<void> = Promise.resolve()
  // A stream that fails says so twice: to whoever wrote, and in an event that must not go unheard.
  stream.on('error', (error) => {
    fault ??= error
  })
  const send = (text: string | Uint8Array): Promise<boolean> =>
    new Promise((resolve) => {
      stream.write(text, (error) => {
        if (error) fault ??= error
        resolve(!error)
      })
    })
  const write = (text: string | Uint8Array): void => {
    if (text.length === 0) return
    const sent = fault ? Promise.resolve(false) : send(text)
    last = Promise.all([last, sent]).then(([, isOut]) => {
      if (!isOut) isPartial = true
    })
  }
  const log = (line: string): void => {
    if (fault) return
    if (stream.writableLength > MAX_WAITING) {
      leftOut += 1
      return
    }
    const gap = leftOut === 0 ? '' : `outrigger: ${leftOut} lines were left out, nobody read them\n`
    leftOut = 0
    last = Promise.all([last, send(gap + line)]).then(() => undefined)
  }
  return {
    write,
    log,
    async end() {
      await last
      return isPartial ? (fault ?? new Error('it could not be written')) : undefined
    },
  }
}
