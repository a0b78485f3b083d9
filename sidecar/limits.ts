// Moved: the webhook tells the shim the same number.

export { maxProcesses } from '../shared/max-processes.ts'
