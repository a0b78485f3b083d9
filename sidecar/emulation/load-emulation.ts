// Legacy clients before a server that does not know their era, where they are wanted: else, and before the first of them,
// nothing of it is loaded.

import type { Settings } from '../../shared/settings.ts'
import { codeOf } from '../../shared/error-code.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from '../mcp/faults.ts'
import type { LinkSource } from '../server/source.ts'
import type { emulated, EmulationOptions } from './start-emulation.ts'

/** Finds out what the server speaks. */
interface Known {
  eras(): Promise<{ readonly refusesLegacy?: boolean } | undefined>
  readonly why: string
}

type Load = () => Promise<{ readonly emulated: typeof emulated }>

/** What cannot be loaded now, as for want of descriptors, may be for the next who comes. */
const loaded = async (load: Load): Promise<Result<typeof emulated, Fault>> => {
  try {
    return ok((await load()).emulated)
  } catch (error) {
    const why = `what serves clients of the legacy era could not be loaded (${codeOf(error)}); try again`
    return fail(fault('no-capacity', why, { headers: { 'retry-after': '5' } }))
  }
}

/** Where links of legacy sessions come from. */
export const emulationOf = (
  settings: Pick<Settings, 'translate-eras'>,
  options: EmulationOptions & { readonly source: LinkSource },
  known: Known,
  load: Load = () => import('./start-emulation.ts'),
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
          const made = await loaded(load)
          if (!made.ok) return made
          const link = await source.open(tenant)
          return link.ok ? ok(made.value(link.value, options)) : link
        },
      }
    : source
}
