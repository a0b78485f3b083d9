// Legacy clients before a server that does not know their era, where they are wanted: else, and before the first of them,
// nothing of it is loaded.

import type { Settings } from '../../shared/settings.ts'
import { fail, ok } from '../../shared/result.ts'
import { fault } from '../mcp/faults.ts'
import type { LinkSource } from '../server/source.ts'
import type { EmulationOptions } from './start-emulation.ts'

/** Finds out what the server speaks. */
interface Known {
  eras(): Promise<{ readonly refusesLegacy?: boolean } | undefined>
  readonly why: string
}

/** Where links of legacy sessions come from. */
export const emulationOf = (
  settings: Pick<Settings, 'translate-eras'>,
  options: EmulationOptions & { readonly source: LinkSource },
  known: Known,
): LinkSource => {
  const { source } = options
  return settings['translate-eras']
    ? {
        open: async (tenant) => {
          const eras = await known.eras()
          if (!eras) {
            return fail(fault('server-not-started', `the server does not start: ${known.why}`))
          }
          if (eras.refusesLegacy !== true) return source.open(tenant)
          const { emulated } = await import('./start-emulation.ts')
          const link = await source.open(tenant)
          return link.ok ? ok(emulated(link.value, options)) : link
        },
      }
    : source
}
