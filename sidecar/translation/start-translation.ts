// Modern clients before a legacy server: their calls go the way of every modern one, and come to processes of the legacy
// era, each of which has one call at a time.

import { Modern, type ModernOptions } from '../modern/modern.ts'
import { Pool, type PoolOptions } from './pool.ts'

export type TranslationOptions = ModernOptions & PoolOptions

export const startTranslation = (options: TranslationOptions): Modern =>
  new Modern(options, new Pool(options))
