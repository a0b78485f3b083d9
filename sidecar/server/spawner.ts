// Children on demand: the cap on processes, and what a client is told when there is none to be had.
// At the cap an idle process of the modern era makes room; a place that is being freed is waited for.

import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Control } from './control.ts'
import type { Link } from './link.ts'
import type { LinkSource } from './source.ts'

export interface SpawnerOptions {
  readonly control: Pick<Control, 'isReady' | 'count' | 'ending' | 'spawn' | 'whenFreed'>
  readonly maxProcesses: number
  /** Counts what became of each attempt. */
  readonly onSpawn: (outcome: 'started' | 'refused' | 'full') => void
}

const BUSY = { headers: { 'retry-after': '5' } }

export class Spawner implements LinkSource {
  reclaim: () => boolean = () => false
  private readonly options: SpawnerOptions
  private waiting = 0
  /** Places that are promised and not yet taken. */
  private reserved = 0

  constructor(options: SpawnerOptions) {
    this.options = options
  }

  async open(): Promise<Result<Link, Fault>> {
    const { control, maxProcesses, onSpawn } = this.options
    if (!control.isReady) {
      return fail(
        fault('no-capacity', "the server's container is not running yet; try again", BUSY),
      )
    }
    if (!(await this.hasPlace())) {
      onSpawn('full')
      return fail(
        fault(
          'no-capacity',
          `all ${maxProcesses} server processes are in use; try again later`,
          BUSY,
        ),
      )
    }
    this.reserved--
    const child = await control.spawn()
    onSpawn(child.ok ? 'started' : 'refused')
    if (child.ok) return ok(child.value)
    const { isBusy, message } = child.error
    const told = `the server could not be started: ${message}`
    return fail(isBusy ? fault('no-capacity', told, BUSY) : fault('server-not-started', told))
  }

  /** Waits only as long as a process that is being ended, or can be, will leave its place to us. */
  private async hasPlace(): Promise<boolean> {
    const { control, maxProcesses } = this.options
    while (control.count + this.reserved >= maxProcesses) {
      if (control.ending <= this.waiting && !this.reclaim()) return false
      this.waiting++
      await control.whenFreed()
      this.waiting--
    }
    this.reserved++
    return true
  }
}
