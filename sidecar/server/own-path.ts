// Where on its own port a server means, by an address of its own words (a redirect, an endpoint). Pure.

const BASE = 'http://server.invalid'
const OWN_NAMES: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '[::1]'])
const USUAL_PORTS: Readonly<Record<string, string>> = { 'http:': '80', 'https:': '443' }

export interface OwnAddress {
  /** Where the server said it. */
  readonly path: string
  readonly port: number
}

/** The path with its query; undefined where the address is another host's or port's, or none. */
export const ownPath = (address: string, { path, port }: OwnAddress): string | undefined => {
  if (!URL.canParse(address, BASE + path)) return undefined
  const {
    origin,
    protocol,
    hostname,
    port: named,
    pathname,
    search,
  } = new URL(address, BASE + path)
  const isOwn =
    origin === BASE ||
    (OWN_NAMES.has(hostname) && (named || USUAL_PORTS[protocol]) === String(port))
  return isOwn ? pathname + search : undefined
}
