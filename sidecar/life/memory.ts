// What may be held for others, and what gives it back.

import type { SidecarConfig } from '../../shared/sidecar-config.ts'
import { Budget } from '../bytes/budget.ts'
import { IdleMemory } from './idle-memory.ts'
import { memoryBounds } from './memory-bounds.ts'
import type { Process } from './process.ts'

export interface MemoryParts {
  readonly config: Pick<SidecarConfig, 'memoryBytes'>
  readonly process: Process
  readonly now: () => number
}

export const memoryOf = ({
  config,
  process,
  now,
}: MemoryParts): { readonly memory: IdleMemory; readonly budget: Budget } => {
  const { collect, residentBytes, memoryLimitBytes } = process
  const { budgetBytes, highBytes } = memoryBounds(config.memoryBytes, memoryLimitBytes)
  const memory = new IdleMemory(collect && { residentBytes, collect }, highBytes)
  return { memory, budget: new Budget(budgetBytes, (bytes) => memory.freed(bytes, now())) }
}
