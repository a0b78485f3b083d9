// What a bench ran on, for whoever compares its figures with others: nothing that names the machine.

import { cpus, release, type } from 'node:os'

/** CPU model, cores, kernel and Node. */
export const machine = (): string => {
  const cores = cpus()
  const model = cores[0]?.model.trim() ?? 'unknown CPU'
  return `${model}, ${cores.length} cores, ${type()} ${release()} ${process.arch}, Node ${process.version}`
}
