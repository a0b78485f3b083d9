// Host names as they are declared and asked for: absolute, in one spelling, with nothing in them that another reader would
// take for an address or for two names. Pure.

import { domainToASCII } from 'node:url'

const LABEL = '[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?'
const NAME = new RegExp(`^(?=.{1,253}$)${LABEL}(\\.${LABEL})*$`)
/** What URLs read as an IPv4 address, whatever stands before it: `127.1`, `0x7f.1`. */
const NUMBER_LAST = /(^|\.)(\d+|0x[\da-f]*)$/
// Of a name of 253 letters no more are written, also where they are not ASCII.
const MAX_TEXT = 1024

/**
 * The name that a text is: lower case, without the dot at its end, other letters in Punycode as URLs have them; undefined
 * for what is no host name, an address too.
 */
export const hostNameOf = (text: string): string | undefined => {
  if (text.length > MAX_TEXT) return undefined
  const ascii = /^[\0-\x7f]*$/.test(text) ? text : domainToASCII(text)
  const name = ascii.toLowerCase().replace(/\.$/, '')
  return NAME.test(name) && !NUMBER_LAST.test(name) ? name : undefined
}

/** Services of the cluster, as everybody writes them: the only names that are not whole without what comes after. */
const SERVICE = '.svc'

/**
 * A name as it is resolved: `db.team.svc` belongs to the cluster's own domain. Nothing else is ever completed: what is
 * called `com` in a namespace answers for nothing of that name elsewhere.
 */
export const absoluteName = (name: string, clusterDomain: string | undefined): string =>
  clusterDomain !== undefined && name.endsWith(SERVICE) ? `${name}.${clusterDomain}` : name

/** Whether the cluster's own name service alone answers for a name, in its absolute form. */
export const isServiceName = (name: string, clusterDomain: string | undefined): boolean =>
  clusterDomain !== undefined && name.endsWith(`${SERVICE}.${clusterDomain}`)
