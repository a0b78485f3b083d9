// A Service's addresses by the name servers of resolv.conf themselves: by its absolute name, without a search list, a hosts file
// or the system's own resolver, which gives few of many. Of one family, that of pods' first
// addresses: a Service of one family has the same by default, and what is wrong with the other counts for nothing.

import { Resolver } from 'node:dns/promises'
import { readFile } from 'node:fs/promises'
import { absoluteName } from '../../shared/host-name.ts'
import { clusterOf } from '../egress/reach/resolv-conf.ts'
import type { ResolveService } from './members.ts'

const RESOLV_CONF = '/etc/resolv.conf'
const TRY_MS = 1000
const TRIES = 2

export interface NameServers {
  resolve4(name: string): Promise<readonly string[]>
  resolve6(name: string): Promise<readonly string[]>
}

export type Family = 4 | 6

/** Rejects where there are none, or nobody says. */
export const serviceNames =
  (
    family: Family,
    path = RESOLV_CONF,
    resolver: NameServers = new Resolver({ timeout: TRY_MS, tries: TRIES }),
  ): ResolveService =>
  async (service) => {
    const cluster = clusterOf(await readFile(path, 'utf8').catch(() => ''))
    const name = `${absoluteName(service, cluster)}.`
    return family === 4 ? resolver.resolve4(name) : resolver.resolve6(name)
  }
