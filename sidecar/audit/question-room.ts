// How much of the room for records those of questions hold that nobody has answered yet. Servers ask as they like, and
// clients may be silent: all of them together leave half of it to calls, and one caller most of that to others. Pure.

const ALL_SHARE = 1 / 2
const CALLER_SHARE = 1 / 8

export class QuestionRoom {
  private readonly mostBytes: number
  private readonly mostOfCaller: number
  private held = 0
  /** Of those who hold any. */
  private readonly byCaller = new Map<string, number>()

  /** `roomBytes`: for all records. */
  constructor(roomBytes: number) {
    this.mostBytes = roomBytes * ALL_SHARE
    this.mostOfCaller = roomBytes * CALLER_SHARE
  }

  /** False where there is no room; then nothing is taken. */
  take(caller: string, bytes: number): boolean {
    const own = (this.byCaller.get(caller) ?? 0) + bytes
    if (own > this.mostOfCaller || this.held + bytes > this.mostBytes) return false
    this.held += bytes
    this.byCaller.set(caller, own)
    return true
  }

  giveBack(caller: string, bytes: number): void {
    const left = (this.byCaller.get(caller) ?? 0) - bytes
    this.held -= bytes
    if (left > 0) this.byCaller.set(caller, left)
    else this.byCaller.delete(caller)
  }
}
