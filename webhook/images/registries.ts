// Which registries may be asked, and how: the `registries` member of the cluster configuration. A
// host that is not listed is never asked, and a realm (the URL that gives out tokens) on another
// host than the registry's own must be listed with it. Pure.

import { z } from 'zod'
import { fail, ok, type Result } from '../../shared/result.ts'

const url = z.string().refine((text) => {
  const parsed = URL.canParse(text) ? new URL(text) : undefined
  return (
    parsed !== undefined &&
    /^https?:$/.test(parsed.protocol) &&
    [parsed.username, parsed.password, parsed.search, parsed.hash].every((part) => part === '')
  )
}, 'must be an http or https URL without user, query or fragment')

const registrySchema = z.strictObject({
  /** Asked in the registry's place; its path stands before the repository. */
  mirror: url.optional(),
  /** Where its tokens may come from, besides its own host. */
  realms: z.array(url).max(8).default([]),
  /** A PEM file whose authorities are trusted for this registry, besides the usual ones. */
  caFile: z.string().min(1).optional(),
  allowPlainHttp: z.boolean().default(false),
})

/** The public ones, as they are without a word in the configuration. */
const PUBLIC: z.input<typeof registriesSchema> = {
  'docker.io': {},
  'gcr.io': {},
  'ghcr.io': {},
  'mcr.microsoft.com': {},
  'public.ecr.aws': {},
  'quay.io': {},
  'registry.gitlab.com': {},
  'registry.k8s.io': {},
}

/** Where a well-known registry is, and where its tokens come from. */
const WELL_KNOWN: Readonly<Record<string, { readonly base?: string; readonly realm: string }>> = {
  'docker.io': {
    base: 'https://registry-1.docker.io',
    realm: 'https://auth.docker.io/token',
  },
  'registry.gitlab.com': { realm: 'https://gitlab.com/jwt/auth' },
}

export const registriesSchema = z.record(
  z
    .string()
    .refine(
      (host) => /^(?!index\.docker\.io$)[A-Za-z0-9.:[\]-]+$/.test(host),
      'must be a host, with its port where it has one (docker.io for index.docker.io)',
    ),
  registrySchema,
)

export const registriesWithDefault = registriesSchema.prefault(PUBLIC)

export type Registries = Readonly<Record<string, Readonly<z.output<typeof registrySchema>>>>

/** One registry as it is asked. */
export interface Access {
  /** As references and credentials name it: the mirror's where there is one. */
  readonly host: string
  /** Without a path. */
  readonly base: URL
  /** Stands before the repository: `''` or `mirror/`. */
  readonly prefix: string
  readonly realms: readonly string[]
  readonly caFile: string | undefined
  readonly allowPlainHttp: boolean
}

const baseOf = (host: string, mirror: string | undefined, isPlain: boolean): URL =>
  new URL(mirror ?? WELL_KNOWN[host]?.base ?? `${isPlain ? 'http' : 'https'}://${host}`)

/** How to ask the registry of a host, or why it may not be asked. */
export const accessTo = (host: string, registries: Registries): Result<Access, string> => {
  const registry = Object.hasOwn(registries, host) ? registries[host] : undefined
  if (!registry) {
    return fail(
      `the registry ${host} is not one that the cluster configuration lists; list it as registries: { '${host}': {} } (--config FILE)`,
    )
  }
  const { mirror, realms, caFile, allowPlainHttp } = registry
  const base = baseOf(host, mirror, allowPlainHttp)
  if (base.protocol === 'http:' && !allowPlainHttp) {
    return fail(`registries: ${host}: its mirror is plain HTTP, which needs allowPlainHttp: true`)
  }
  const path = base.pathname.replace(/^\/+|\/+$/g, '')
  const known = mirror === undefined ? WELL_KNOWN[host]?.realm : undefined
  return ok({
    host: mirror === undefined ? host : base.host,
    base: new URL(base.origin),
    prefix: path === '' ? '' : `${path}/`,
    realms: known === undefined ? realms : [...realms, known],
    caFile,
    allowPlainHttp,
  })
}

/** The realm's URL, where the registry may send us there. */
export const allowedRealm = (realm: string, access: Access): URL | undefined => {
  if (!URL.canParse(realm)) return undefined
  const found = new URL(realm)
  const isListed =
    found.origin === access.base.origin ||
    access.realms.some((listed) => {
      const { origin, pathname } = new URL(listed)
      return origin === found.origin && pathname === found.pathname
    })
  const isPlain = found.protocol === 'http:'
  const isClean = found.username === '' && found.password === ''
  return isListed && isClean && (!isPlain || access.allowPlainHttp) ? found : undefined
}
