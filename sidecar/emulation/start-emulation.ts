// Legacy clients before a modern server: their sessions are ours, as before every server, and each of their links makes of
// them requests that stand alone.

import { schedule } from '../../shared/timers.ts'
import type { Link } from '../server/link.ts'
import { EmulatedLink, type EmulatedLinkOptions } from './emulated-link.ts'

export type EmulationOptions = Omit<EmulatedLinkOptions, 'schedule'>

/** `own`: the time. */
export const emulated = (
  inner: Link,
  options: EmulationOptions,
  own: Pick<EmulatedLinkOptions, 'schedule'> = { schedule },
): Link => new EmulatedLink(inner, { ...options, ...own })
