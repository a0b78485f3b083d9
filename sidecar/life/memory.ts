// What may be held for others, and what gives it back.

import { sizeErrors } from '../../shared/memory-budget.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { Budget } from '../bytes/budget.ts'
import { IdleMemory } from './idle-memory.ts'
import { memoryBounds } from './memory-bounds.ts'
import type { Process } from './process.ts'

export interface MemoryParts {
  readonly config: Pick<SidecarConfig, 'memoryBytes' | 'settings'>
  readonly process: Process
  readonly now: () => number
}

/** Throws where a message may be longer than there is memory for. */
export const memoryOf = ({
  config,
  process,
  now,
}: MemoryParts): { readonly memory: IdleMemory; readonly budget: Budget } => {
  const { collect, residentBytes, memoryLimitBytes } = process
  const bounds = memoryBounds(config.memoryBytes, memoryLimitBytes)
  const { settings } = config
  const errors = sizeErrors(settings, bounds.limitBytes)
  if (errors.length > 0) throw new Error(errors.join('; '))
  const memory = new IdleMemory(collect && { residentBytes, collect }, bounds.highBytes)
  const sizes = {
    requestBytes: settings['max-request-size'],
    responseBytes: settings['max-response-size'],
  }
  return {
    memory,
    budget: new Budget(bounds.budgetBytes, (bytes) => memory.freed(bytes, now()), sizes),
  }
}
