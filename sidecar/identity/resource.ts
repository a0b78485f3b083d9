// What this server is called as a protected resource (RFC 8707, RFC 9728) and how its callers are told to bring a token
// (RFC 6750, section 3). Pure, but for the port, which is known once it is listened on.

import { MCP_PATH } from '../../shared/names.ts'
import type { SidecarConfig } from '../../shared/sidecar-config.ts'

export const WELL_KNOWN = '/.well-known/oauth-protected-resource'
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]']

export interface Challenge {
  /** Absent where no credentials came (RFC 6750, section 3.1). */
  readonly error?: 'invalid_request' | 'invalid_token' | 'insufficient_scope'
  readonly description?: string
}

export class Resource {
  /** Once that is listened on. */
  port = 0
  readonly scopes: readonly string[]
  private readonly publicUrl: string | undefined
  private readonly issuers: readonly string[]

  constructor({ settings, issuers }: Pick<SidecarConfig, 'settings' | 'issuers'>) {
    this.publicUrl = settings['public-url']
    this.scopes = settings['required-scopes'] ?? []
    this.issuers = issuers.map(({ url }) => url)
  }

  /** Its own URLs: the public one; without, the listener's by each name of this machine. */
  get urls(): readonly string[] {
    return this.publicUrl === undefined
      ? LOOPBACK.map((name) => `http://${name}:${this.port}${MCP_PATH}`)
      : [this.publicUrl]
  }

  /** The audiences that mean it alone; clients write an URL without a path with a slash or without. */
  get audiences(): readonly string[] {
    return this.urls.flatMap((url) => [url, url.endsWith('/') ? url.slice(0, -1) : `${url}/`])
  }

  /** Whether its metadata stands at a path: at the root, or with the path of a URL of its own inserted. */
  isMetadataPath(path: string): boolean {
    const own = [MCP_PATH, ...this.urls.map((url) => new URL(url).pathname.replace(/\/$/, ''))]
    return path === WELL_KNOWN || own.some((one) => path === `${WELL_KNOWN}${one}`)
  }

  /** The document of RFC 9728, for who has called it by this Host. */
  metadata(host: string | undefined): string {
    return JSON.stringify({
      resource: this.urlFor(host),
      authorization_servers: this.issuers,
      bearer_methods_supported: ['header'],
      ...(this.scopes.length === 0 ? {} : { scopes_supported: this.scopes }),
    })
  }

  /** The value of WWW-Authenticate. */
  challenge(host: string | undefined, { error, description }: Challenge): string {
    const { origin, pathname } = new URL(this.urlFor(host))
    const parts = [
      ...(error === undefined ? [] : [`error="${error}"`]),
      ...(description === undefined ? [] : [`error_description="${quotable(description)}"`]),
      ...(this.scopes.length === 0 ? [] : [`scope="${quotable(this.scopes.join(' '))}"`]),
      `resource_metadata="${origin}${WELL_KNOWN}${pathname.replace(/\/$/, '')}"`,
    ]
    return `Bearer ${parts.join(', ')}`
  }

  private urlFor(host: string | undefined): string {
    const [first = '', ...others] = this.urls
    return [first, ...others].find((url) => new URL(url).host === host?.toLowerCase()) ?? first
  }
}

/** What may stand in such a value (RFC 6750, section 3). */
const quotable = (text: string): string => text.replaceAll(/[^ !#-[\]-~]/g, '')
