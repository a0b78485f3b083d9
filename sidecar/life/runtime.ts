// How Node runs the bundled sidecar: the image's ENTRYPOINT and the bench use the same (a test
// compares). Measured at 8 callers of 100 B: 125 MB without, 78 MB with, at no more time a call.

/**
 * One arena, since V8's threads would each keep one of their own. What is free at its end goes back at once, but for
 * a MiB, lest each call move the end. What is larger than 16 KiB lies outside it: the pieces of large bodies are, and
 * one small thing among them that stays holds the pages of all before it (after a flood of half-sent bodies 88 to 106 MB
 * stay with 48 KiB here, 75 to 83 MB with 16). What is mapped is faulted in page by page, which is why `bytes/spares.ts`
 * uses memory again.
 */
export const SIDECAR_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_TRIM_THRESHOLD_: '65536',
  MALLOC_TOP_PAD_: '1048576',
  MALLOC_MMAP_THRESHOLD_: '16384',
} as const

export const SIDECAR_NODE_FLAGS = [
  // Compiling beside the main thread costs 20 MB of fragments and gains nothing where the work is system calls.
  '--no-concurrent-recompilation',
  // With 4 a 64 KiB call of many members takes half as long again; 16 gains nothing for 20 MB.
  '--max-semi-space-size=8',
  '--max-old-space-size=128',
  // Sockets of clients, servers, issuers and collectors have more shapes than the four that V8 tells apart: once an issuer's
  // keys were fetched each write searched for its members anew (`npm run bench -- auth`: .93 to .97 of the CPU a call, .96 where everybody is let in).
  '--max-valid-polymorphic-map-count=8',
  // For idle-memory.ts.
  '--expose-gc',
] as const
