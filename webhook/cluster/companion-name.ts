// Names of companions: `outrigger-` and the server's label, which holds the kind and name of its workload. Known to injection, too,
// which tells sidecars of them. Pure.

import { createHash } from 'node:crypto'
import { COMPANION_PREFIX } from '../../shared/names.ts'

const MAX_LENGTH = 63
const HASH_LENGTH = 8
const PLAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/

/** Of the Service that gives each pod's own address, also before it is ready. */
export const HEADLESS = '-headless'

/** A Service's name holds no dot, and at most 63 letters: what would, is cut and told apart by a hash of all of it. So is what
 * would have the name of another workload's headless Service. */
export const companionName = (server: string, ending = ''): string => {
  const whole = `${COMPANION_PREFIX}${server}${ending}`
  const isOfTwo = ending === '' && server.endsWith(HEADLESS)
  if (whole.length <= MAX_LENGTH && PLAIN.test(whole) && !isOfTwo) return whole
  // No label holds a slash.
  const hashed = isOfTwo ? `${whole}/` : whole
  const hash = createHash('sha256').update(hashed).digest('hex').slice(0, HASH_LENGTH)
  const head = whole
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_LENGTH - HASH_LENGTH - 1)
  return `${head.replace(/-+$/, '')}-${hash}`
}

/** Of the Secret by which the replicas of a workload know each other. */
export const replicasName = (server: string): string => companionName(`replicas-${server}`)

/** The policy that holds for every injected pod of a namespace, also before its workload has one: no server is called so. */
export const DEFAULT_POLICY = companionName('default')

/** Whether an object about a server may be one of its companions, by its name; without a server, its namespace's policy. */
export const isCompanionOf = (server: string, name: string): boolean =>
  server === ''
    ? name === DEFAULT_POLICY
    : name === companionName(server) || name === companionName(server, HEADLESS)
