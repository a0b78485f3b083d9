// The official clients that every real server is tried with.

import { connectClientOne } from './client-one.ts'
import { connectClientTwo } from './client-two.ts'

/** One row a client line. */
export const CLIENTS = [
  { client: 'SDK 1.x', connect: connectClientOne },
  { client: 'client 2.x', connect: connectClientTwo },
] as const
