// How fast the machine is just now: bounds of processor time hold on a usual one, and grow with what a known piece of work takes
// on this one, be it for its processor, its memory or its neighbours.

const RECORDS = 60_000
/** On a usual machine. */
const USUAL_MS = 20

const TEXT = JSON.stringify(
  Array.from({ length: RECORDS }, (_, index) => ({ name: `n${index}`, image: 'i', index })),
)

/** Processor time of this process. */
export const cpuMsOf = async (run: () => Promise<void> | void): Promise<number> => {
  const before = process.cpuUsage()
  await run()
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000
}

/** The machine as it is while something is measured on it. */
export class Machine {
  private leastMs: number | undefined

  /** Has it do the known piece of work once more: beside each measurement, since what else runs there changes. */
  async look(): Promise<void> {
    const ms = await cpuMsOf(() => void JSON.stringify(JSON.parse(TEXT)))
    this.leastMs = Math.min(this.leastMs ?? ms, ms)
  }

  /** What a usual machine would have needed; never more. */
  usual(ms: number): number {
    return ms / Math.max(1, (this.leastMs ?? 0) / USUAL_MS)
  }
}
