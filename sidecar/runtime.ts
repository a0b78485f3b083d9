// How Node runs the bundled sidecar: the image's ENTRYPOINT and the bench use the same (a test
// compares). Measured at 8 callers of 100 B: 125 MB without, 87 MB with, at no more time a call.

/** One arena: V8's compiler threads would each keep one of their own. */
export const SIDECAR_ENVIRONMENT = { MALLOC_ARENA_MAX: '1' } as const

export const SIDECAR_NODE_FLAGS = [
  // Compiling beside the main thread costs 20 MB of fragments and gains nothing where the work is system calls.
  '--no-concurrent-recompilation',
  '--max-semi-space-size=4',
  '--max-old-space-size=128',
  // For idle-memory.ts.
  '--expose-gc',
] as const
