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

const METADATA = /^(metadata(\.google\.internal)?|instance-data(\.ec2\.internal)?)$/

/** Whether a name is one by which clouds' metadata services are known. */
export const isMetadataName = (name: string): boolean => METADATA.test(name)

/** Services of the cluster, as everybody writes them, without what comes after. */
const SERVICE = '.svc'

const API_SERVER = /^kubernetes\.default\.svc(\.|$)/

/** Whether a name is the API server's own within a cluster, with the cluster's domain or without. */
export const isApiServerName = (name: string): boolean => API_SERVER.test(name)

/** What makes the names of Services whole. */
export interface Cluster {
  readonly domain: string
  /** The pod's; undefined where it is not known. */
  readonly namespace: string | undefined
}

/**
 * A name without a dot, with its namespace: no host of the internet's is called so, and everybody in a namespace calls its
 * Services so. It is theirs alone: `com` answers for nothing but itself.
 */
export const nameInNamespace = (name: string, namespace: string): string =>
  name.includes('.') ? name : `${name}.${namespace}${SERVICE}`

/** A name as it is resolved: `db` and `db.team.svc` belong to the cluster's own domain. Nothing else is ever completed. */
export const absoluteName = (name: string, cluster: Cluster | undefined): string => {
  if (!cluster) return name
  const { domain, namespace } = cluster
  const service = namespace === undefined ? name : nameInNamespace(name, namespace)
  return service.endsWith(SERVICE) ? `${service}.${domain}` : service
}

/** The same of what stands behind `*.`: names below it have a dot, so that no namespace completes them. */
export const absoluteSuffix = (suffix: string, cluster: Cluster | undefined): string =>
  absoluteName(`below.${suffix}`, cluster).slice('below.'.length)

/** Whether the cluster's own name service alone answers for a name, or for all below it, in its absolute form. */
export const isServiceName = (name: string, cluster: Cluster | undefined): boolean =>
  cluster !== undefined && `.${name}`.endsWith(`${SERVICE}.${cluster.domain}`)

/** A Service's name as it is declared, without the cluster's domain; other names as they are. */
export const writtenName = (name: string, cluster: Cluster | undefined): string =>
  cluster !== undefined && name.endsWith(`${SERVICE}.${cluster.domain}`)
    ? name.slice(0, -`.${cluster.domain}`.length)
    : name
