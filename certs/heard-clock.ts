// The time that counts for certificates is that of the API server, which alone checks them: it says so with each answer.
// Between two answers a steady clock goes on from there, so that setting the machine's own clock, forth or back, changes
// nothing. Before the first answer, and where none says the time, there is only the machine's.

export interface Clocks {
  /** Milliseconds since the epoch, as this machine has them: may be wrong, and may jump. */
  readonly wallMs: () => number
  /** Milliseconds of a clock that never jumps, and that may stand still while the machine sleeps. */
  readonly steadyMs: () => number
}

/** By less than this the two clocks part by themselves. */
const JUMP_MS = 2000

export class HeardClock {
  private readonly clocks: Clocks
  private heard: { readonly atMs: number; readonly steadyMs: number } | undefined
  private apartMs: number

  constructor(clocks: Clocks) {
    this.clocks = clocks
    this.apartMs = clocks.wallMs() - clocks.steadyMs()
  }

  /** The API server has said that it is so late; an answer without a time tells nothing. */
  hear(date: Date | undefined): void {
    const atMs = date?.getTime() ?? Number.NaN
    if (Number.isFinite(atMs)) this.heard = { atMs, steadyMs: this.clocks.steadyMs() }
  }

  now(): Date {
    const { heard, clocks } = this
    return new Date(heard ? heard.atMs + clocks.steadyMs() - heard.steadyMs : clocks.wallMs())
  }

  /** Whether the machine has slept, or its clock was set, since this was asked last: then the API server is to be heard again. */
  hasJumped(): boolean {
    const apartMs = this.clocks.wallMs() - this.clocks.steadyMs()
    const isJump = Math.abs(apartMs - this.apartMs) > JUMP_MS
    this.apartMs = apartMs
    return isJump
  }
}
