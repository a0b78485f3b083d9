// Children on demand: the cap on processes, and what a client is told when there is none to be had.

import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { Control } from './control.ts'
import type { Link } from './link.ts'
import type { LinkSource } from './source.ts'

export interface SpawnerOptions {
  readonly control: Control
  readonly maxProcesses: number
  /** Counts what became of each attempt. */
  readonly onSpawn: (outcome: 'started' | 'refused' | 'full') => void
}

const BUSY = { headers: { 'retry-after': '5' } }

export class Spawner implements LinkSource {
  private readonly options: SpawnerOptions

  constructor(options: SpawnerOptions) {
    this.options = options
  }

  get isReady(): boolean {
    return this.options.control.isReady
  }

  async open(): Promise<Result<Link, Fault>> {
    const { control, maxProcesses, onSpawn } = this.options
    if (!control.isReady) {
      return fail(
        fault('no-capacity', "the server's container is not running yet; try again", BUSY),
      )
    }
    if (control.count >= maxProcesses) {
      onSpawn('full')
      return fail(
        fault(
          'no-capacity',
          `all ${maxProcesses} server processes are in use; try again later`,
          BUSY,
        ),
      )
    }
    const child = await control.spawn([])
    onSpawn(child.ok ? 'started' : 'refused')
    return child.ok
      ? ok(child.value)
      : fail(fault('server-not-started', `the server could not be started: ${child.error}`))
  }
}
