// Origins and host names as configurations list them and requests bear them. Pure.

import { isIPv4, isIPv6 } from 'node:net'

const HOST = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/i

/**
 * The serialization of an origin: scheme, host, and port where that is not the scheme's own (RFC 6454, section 6.2), also
 * of the schemes of extensions and desktop programs. Undefined for what no Origin header can ever say.
 */
export const originOf = (text: string): string | undefined => {
  const url = URL.parse(text)
  if (!url || url.host === '' || url.host.includes('*')) return undefined
  const rest = url.username + url.password + url.search + url.hash
  if (rest !== '' || !['', '/'].includes(url.pathname)) return undefined
  return `${url.protocol}//${url.host}`.toLowerCase()
}

/** This machine's names for itself, as they stand in URLs. */
export const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]'] as const

/** Whether nobody but this machine is listened to at a host. */
export const isLoopback = (host: string): boolean =>
  ['localhost', '::1', '[::1]'].includes(host.toLowerCase()) ||
  (isIPv4(host) && host.startsWith('127.'))

/** A listed host name as Host headers bear it, without port; undefined for what none can say. */
export const hostOf = (text: string): string | undefined => {
  if (isIPv6(text)) return `[${text.toLowerCase()}]`
  const isAddress = text.startsWith('[') && text.endsWith(']') && isIPv6(text.slice(1, -1))
  return isAddress || HOST.test(text) ? text.toLowerCase() : undefined
}
