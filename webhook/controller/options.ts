// The controller's command line. Read once, every error at once; nothing here has an effect.

import { parseArgs } from 'node:util'
import { z } from 'zod'
import { LEVELS, type Level } from '../../shared/log.ts'
import { duration } from '../../shared/numbers.ts'
import { messageOf } from '../../shared/message.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

export const USAGE = `usage: controller --config FILE [options]

  --config FILE           the cluster configuration (YAML); required
  --host ADDRESS          address of the port (default: all)
  --admin-port N          /livez, /readyz, /metrics (default 8081)
  --namespace NAME        our own namespace (default outrigger-system)
  --lease NAME            the Lease by which one replica leads (default outrigger-controller)
  --leftover-after TIME   companions of a workload without pods stay for so long (default 1h)
  --log-level LEVEL       ${LEVELS.join(', ')} (default info)
`

export interface Options {
  readonly configFile: string
  readonly host: string | undefined
  readonly adminPort: number
  readonly namespace: string
  readonly lease: string
  readonly leftoverMs: number
  readonly logLevel: Level
}

const FLAGS = {
  config: { type: 'string' },
  host: { type: 'string' },
  'admin-port': { type: 'string', default: '8081' },
  namespace: { type: 'string', default: 'outrigger-system' },
  lease: { type: 'string', default: 'outrigger-controller' },
  'leftover-after': { type: 'string', default: '1h' },
  'log-level': { type: 'string', default: 'info' },
} as const

const DAY_MS = 86_400_000

const fields = z.object({
  config: z.string('say which file').min(1),
  host: z.string().min(1).optional(),
  'admin-port': z
    .string()
    .refine((text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535, 'use a port, 0 to 65535')
    .transform(Number),
  namespace: z.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'use a name'),
  lease: z.string().regex(/^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/, 'use a name'),
  'leftover-after': z
    .string()
    .transform((text) => duration(text) ?? Number.NaN)
    .refine((ms) => ms <= 30 * DAY_MS, 'use a time up to 720h, such as 1h'),
  'log-level': z.enum(LEVELS),
})

const given = (args: readonly string[]): Result<unknown, string[]> => {
  try {
    return ok(parseArgs({ args: [...args], options: FLAGS, strict: true }).values)
  } catch (error) {
    return fail([messageOf(error)])
  }
}

/** Reads `--config FILE …`. */
export const parseControllerOptions = (args: readonly string[]): Result<Options, string[]> => {
  const values = given(args)
  if (!values.ok) return values
  const { data, error } = fields.safeParse(values.value)
  if (error) return fail(error.issues.map(({ path, message }) => `--${path.join('.')}: ${message}`))
  return ok({
    configFile: data.config,
    host: data.host,
    adminPort: data['admin-port'],
    namespace: data.namespace,
    lease: data.lease,
    leftoverMs: data['leftover-after'],
    logLevel: data['log-level'],
  })
}
