// How Node runs the bundled webhook: the image's ENTRYPOINT and the bench use the same (a test compares), within the memory
// that manifests/base gives it (256 MiB): V8's heap, its young generation three times over, the bodies in flight
// (body.ts) and Node itself.

/** One arena, since each thread would keep one of its own; large bodies go back to the system when they are answered. */
export const WEBHOOK_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
} as const

export const WEBHOOK_NODE_FLAGS = [
  // A review is gone when it is answered: with less, more of it is copied on into the old generation.
  '--max-semi-space-size=8',
  '--max-old-space-size=96',
] as const
