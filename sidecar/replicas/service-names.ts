// A Service's addresses by the name servers of resolv.conf themselves: by its absolute name, without a search list, a hosts file
// or the system's own resolver, which gives few of many.

import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { codeOf } from '../../shared/error-code.ts'
import { absoluteName } from '../../shared/host-name.ts'
import { clusterOf } from '../egress/reach/resolv-conf.ts'
import type { ResolveService } from './members.ts'

const RESOLV_CONF = '/etc/resolv.conf'
const TRY_MS = 1000
const TRIES = 2

const NOBODY = /^(?:ENOTFOUND|ENODATA)$/

/** Of both families; rejects where neither has any, by what the first says that is more than that. */
export const serviceNames = (path = RESOLV_CONF): ResolveService => {
  const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES })
  return async (service) => {
    const cluster = clusterOf(await readFile(path, 'utf8').catch(() => ''))
    const name = `${absoluteName(service, cluster)}.`
    const answers = await Promise.allSettled([resolver.resolve4(name), resolver.resolve6(name)])
    const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
    if (found.length > 0) return found
    const reasons = answers.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    const why: unknown = reasons.find((reason) => !NOBODY.test(codeOf(reason))) ?? reasons[0]
    if (why === undefined) return []
    throw why
  }
}
