// What the far host's capture has seen: every frame that has left the pod, in windows between fences.

import type { ChildProcess } from 'node:child_process'
import { createInterface } from 'node:readline'
import { within } from '../waiting.ts'

export interface Frame {
  readonly kind: string
  readonly from: string
  readonly to: string
  readonly port?: number
  readonly fromPort?: number
  /** Of TCP: `S`, `A`, `P`, `F`, `R`, ... */
  readonly flags?: string
  /** What it carries, a character a byte. */
  readonly text: string
}

/** The fence's number is one of 16 bits. */
const FENCES = 60_000

export class Capture {
  /** All of them, from the beginning. */
  readonly frames: Frame[] = []
  readonly ready: Promise<void>
  private readonly judge: ChildProcess
  private readonly waiting = new Map<number, () => void>()
  private fences = 0

  constructor(judge: ChildProcess) {
    this.judge = judge
    const { stdout } = judge
    if (!stdout) throw new Error('the judge is heard')
    this.ready = new Promise((resolve, reject) => {
      judge.once('exit', (code) => reject(new Error(`the judge ended with ${code}`)))
      createInterface({ input: stdout }).on('line', (line) => {
        const said = JSON.parse(line)
        if (said.ready === true) resolve()
        else if (typeof said.fence === 'number') this.waiting.get(said.fence)?.()
        else this.frames.push(said)
      })
    })
  }

  /** Resolves when whatever has left the pod before is among the frames. */
  async fence(): Promise<void> {
    const number = ++this.fences % FENCES
    const seen = new Promise<void>((resolve) => this.waiting.set(number, resolve))
    this.judge.stdin?.write(`${number}\n`)
    await within(seen, () => `fence ${number}`)
    this.waiting.delete(number)
  }

  /** What comes out of the pod while something is done. */
  async during<T>(
    action: () => Promise<T>,
  ): Promise<{ readonly result: T; readonly frames: readonly Frame[] }> {
    await this.fence()
    const from = this.frames.length
    const result = await action()
    await this.fence()
    return { result, frames: this.frames.slice(from) }
  }

  close(): void {
    this.judge.stdin?.end()
  }
}
