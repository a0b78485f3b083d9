// Modern clients before a legacy server, where that is wanted: else, and before the first of them, nothing of it is loaded.

import type { Settings } from '../../shared/settings.ts'
import type { Modern } from '../modern/modern.ts'
import type { TranslationOptions } from './start-translation.ts'

/** Undefined where such clients are to fall back. */
export const translationOf = (
  settings: Pick<Settings, 'translate-eras'>,
  options: TranslationOptions,
): (() => Promise<Modern>) | undefined =>
  settings['translate-eras']
    ? async () => (await import('./start-translation.ts')).startTranslation(options)
    : undefined
