// Modern clients before a legacy server: their calls go the way of every modern one, and come to processes of the legacy
// era, each of which has one call at a time.

import { randomBytes } from 'node:crypto'
import { schedule } from '../../shared/timers.ts'
import { Modern, type ModernOptions } from '../modern/modern.ts'
import { Pool, type PoolOptions } from './pool.ts'

type Own = Pick<PoolOptions, 'secret' | 'schedule'>

export type TranslationOptions = ModernOptions & Omit<PoolOptions, keyof Own>

/** `own`: what signs the state of calls that wait, and the time; another process can make nothing of the former. */
export const startTranslation = (
  options: TranslationOptions,
  own: Own = { secret: randomBytes(32), schedule },
): Modern => new Modern(options, new Pool({ ...options, ...own }))
