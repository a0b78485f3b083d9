// Who may say who calls: the entries of a configuration, and how settings choose among them. Settings narrow; they never
// bring an issuer or an audience of their own. Pure.

import * as z from 'zod/mini'
import { areAuthorities } from './authorities.ts'
import { isClaimName } from './claim-name.ts'
import { NO_ISSUERS } from './identity.ts'
import { isLoopback } from './origin.ts'
import { fail, ok, type Result } from './result.ts'
import type { Settings } from './settings.ts'
import { exchangeAsked, isListable, MAX_ITEMS, strangersIn } from './token-exchange.ts'

const text = z.string().check(z.minLength(1), z.maxLength(1024))

const isOwnMachine = (url: string): boolean => isLoopback(URL.parse(url)?.hostname ?? '')

/** A host as URLs bear it: with the port, where that is not the scheme's own. */
const isHost = (host: string): boolean =>
  /^[\w.:[\]-]+$/.test(host) &&
  ['https', 'http'].some((scheme) => URL.parse(`${scheme}://${host}/`)?.host === host)

const allowedHost = z.strictObject({
  host: text.check(
    z.refine(isHost, 'can never match: a host in small letters, with a port where that is unusual'),
  ),
  /** How far its name may lead. */
  reach: z._default(z.enum(['public', 'private', 'loopback']), 'public'),
})

const ACCOUNT = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/
const isAccount = (text: string): boolean => ACCOUNT.test(text)

/** Of a list that settings choose from, at most this many. */
export const MAX_ISSUERS = 16
export const MAX_AUDIENCES = 64

/** Hosts that may be asked, and how far their names may lead. */
export const allowedHosts = z.array(allowedHost).check(z.maxLength(16))

/** The authorities of a server's certificates, in PEM. */
export const authoritiesText = z
  .string()
  .check(
    z.maxLength(65_536),
    z.refine(areAuthorities, 'must be certificates of authorities in PEM, and nothing else'),
  )

/** Of which a token must name one. */
export const audienceList = z.array(text).check(z.minLength(1), z.maxLength(MAX_AUDIENCES))

/** Where something is asked for. */
export const ownUrl = z.url({ protocol: /^https?$/ }).check(
  z.maxLength(1024),
  z.refine(
    (url) => !/[?#]|\/\/[^/]*@/.test(url),
    'must not hold a query, fragment, user or password',
  ),
  z.refine(
    (url) => !URL.canParse(url) || url.startsWith('https:') || isOwnMachine(url),
    'must begin with https://, since whoever is on the way could answer for it',
  ),
)

const exchangeItems = z._default(
  z
    .array(
      z.string().check(z.refine(isListable, 'must be printable ASCII without spaces and commas')),
    )
    .check(z.maxLength(MAX_ITEMS)),
  [],
)

/** Where tokens are exchanged for those of other services (RFC 8693), and for which: nothing else is asked for. */
const tokenExchange = z.strictObject({
  /** Its token endpoint. */
  url: ownUrl,
  /** Services, by the names that the issuer has for them. */
  audiences: exchangeItems,
  /** The same by their URIs (RFC 8707). */
  resources: exchangeItems,
  scopes: exchangeItems,
})

export const issuerSchema = z.strictObject({
  /** To the letter as its tokens name it (`iss`). */
  url: ownUrl,
  /** Of which its tokens must name one; absent: the server's own URL. */
  audiences: z.optional(audienceList),
  /** Hosts that may be asked for its keys besides its own, and how far their names may lead. */
  hosts: z._default(allowedHosts, []),
  /** The authorities of its certificates, in PEM; absent: the usual ones. */
  ca: z.optional(authoritiesText),
  /** The claim that holds its users' groups, a list of texts; absent: it is not believed in that. */
  groupsClaim: z.optional(text.check(z.maxLength(128))),
  /** Claims in which it is believed: they may go into the environment of its users' processes; absent: none. */
  verifiedClaims: z.optional(
    z
      .array(
        z
          .string()
          .check(
            z.refine(isClaimName, 'must be the name of a claim, without spaces, commas and braces'),
          ),
      )
      .check(z.maxLength(16)),
  ),
  /** Its tokens may be bound to their client's certificate (RFC 8705), for which connections over TLS are then asked. */
  certificateBound: z.optional(z.boolean()),
  /** Its tokens may, or must, be bound to their client's key (RFC 9449), whose proof comes with each request. */
  dpop: z.optional(z.enum(['accepted', 'required'])),
  /** Where it is asked about tokens that are no JWTs (RFC 7662), by whoever has credentials; absent: it is asked about none. */
  introspectionUrl: z.optional(ownUrl),
  /** Its users' tokens may be exchanged, for their own processes, by whoever has credentials; absent: none is. */
  tokenExchange: z.optional(tokenExchange),
  /** It is the cluster's own: of its tokens those of these ServiceAccounts are accepted; its keys come from the API server. */
  serviceAccounts: z.optional(
    z
      .array(z.string().check(z.refine(isAccount, 'must be NAMESPACE/NAME')))
      .check(z.minLength(1), z.maxLength(256)),
  ),
})
export type IssuerEntry = Readonly<z.output<typeof issuerSchema>>

/** What is wrong with where opaque tokens are asked about: they name no issuer, so it is one, for whoever has credentials. */
export const introspectionFaults = (
  issuers: readonly IssuerEntry[],
  credentials: string | undefined,
): readonly string[] => {
  const urls = issuers.flatMap(({ url, introspectionUrl }) => (introspectionUrl ? [url] : []))
  if (credentials === undefined) {
    return urls.map(
      (url) =>
        `issuers: ${url}: introspectionUrl: nothing is asked there without introspectionDir, the directory of the credentials`,
    )
  }
  if (urls.length === 1) return []
  const found = urls.length === 0 ? 'none has one' : `${urls.join(', ')} have one`
  return [
    `introspectionDir: tokens that are no JWTs name no issuer: exactly one of issuers needs an introspectionUrl, and ${found}`,
  ]
}

/** What is wrong with where tokens are exchanged: at one issuer, for what it is listed with, by whoever has credentials. */
export const exchangeFaults = (
  issuers: readonly IssuerEntry[],
  { 'token-exchange': items }: Pick<Settings, 'token-exchange'>,
  credentials: string | undefined,
): readonly string[] => {
  if (items === undefined) {
    return credentials === undefined
      ? []
      : ['tokenExchangeDir: nothing is exchanged where settings have no token-exchange']
  }
  if (credentials === undefined) {
    return [
      'settings: token-exchange: nothing is exchanged without tokenExchangeDir, the directory of the credentials',
    ]
  }
  const asked = exchangeAsked(items)
  if (!asked.ok) return [`settings: token-exchange: ${asked.error}`]
  const listed = issuers.flatMap(({ tokenExchange: one }) => one ?? [])
  const [only] = listed
  if (listed.length !== 1 || only === undefined) {
    return [
      `settings: token-exchange: exactly one of issuers needs a tokenExchange, and ${listed.length} have one`,
    ]
  }
  const strangers = strangersIn(asked.value, only)
  return strangers.length === 0
    ? []
    : [
        `settings: token-exchange: ${strangers.join(', ')}: not listed in tokenExchange of the issuer`,
      ]
}

/** What is wrong with how the cluster's own issuer is asked for its keys. */
export const apiServerFaults = (
  issuers: readonly IssuerEntry[],
  apiServer: object | undefined,
): readonly string[] => {
  const urls = issuers.flatMap(({ url, serviceAccounts }) => (serviceAccounts ? [url] : []))
  if (apiServer === undefined) {
    return urls.map(
      (url) => `issuers: ${url}: serviceAccounts: its keys come from apiServer, which is missing`,
    )
  }
  return urls.length === 1
    ? []
    : [`apiServer: exactly one of issuers has serviceAccounts, not ${urls.length}`]
}

export interface Named {
  readonly issuers: readonly IssuerEntry[]
  readonly settings: Settings
  /** What is listened on. */
  readonly host: string
}

/** Why a server that nobody has named a URL for cannot take an issuer's tokens. */
const namelessFault = ({ audiences, dpop }: IssuerEntry): string | undefined => {
  if (dpop !== undefined) return "dpop: proofs name the server's own URL: set public-url"
  return audiences === undefined ? FOR_NOBODY : undefined
}

const FOR_NOBODY = "its tokens are for nobody: name audiences, or the server's URL in public-url"

/** Whether a server has a URL of its own that tokens may name. */
export const isNamed = ({ settings, host }: Omit<Named, 'issuers'>): boolean =>
  settings['public-url'] !== undefined || isLoopback(host)

/** Of audiences those that settings choose; absent: the server's own URL. `whose` they are. */
export const chosenAudiences = (
  whose: string,
  audiences: readonly string[] | undefined,
  named: Omit<Named, 'issuers'>,
): Result<string[] | undefined, string> => {
  const { 'oidc-audience': chosen, 'public-url': publicUrl } = named.settings
  if (audiences === undefined && !isNamed(named)) return fail(`${whose}: ${FOR_NOBODY}`)
  if (chosen === undefined) return ok(audiences && [...audiences])
  const listed = audiences ?? (publicUrl === undefined ? [] : [publicUrl])
  const left = listed.filter((one) => chosen.includes(one))
  return left.length > 0
    ? ok(left)
    : fail(`oidc-audience: names none of the audiences of ${whose}: ${listed.join(', ') || 'none'}`)
}

/** Of an entry's audiences those that settings choose. */
const audiencesOf = (entry: IssuerEntry, named: Named): Result<IssuerEntry, string> => {
  const fault = isNamed(named) ? undefined : namelessFault(entry)
  if (fault !== undefined) return fail(`issuers: ${entry.url}: ${fault}`)
  const audiences = chosenAudiences(entry.url, entry.audiences, named)
  if (!audiences.ok) return audiences
  return ok(audiences.value === undefined ? entry : { ...entry, audiences: audiences.value })
}

/** The issuers that settings choose, each with its audiences; every error at once. */
export const chosenIssuers = (named: Named): Result<readonly IssuerEntry[], readonly string[]> => {
  const { issuers, settings } = named
  const urls = issuers.map(({ url }) => url)
  const chosen = settings['oidc-issuers']?.filter((url) => url !== NO_ISSUERS) ?? urls
  const twice = new Set(urls.filter((url, index) => urls.indexOf(url) !== index))
  const isInVain = settings.auth === 'none' && issuers.length > 0
  const entries = issuers
    .filter(({ url }) => chosen.includes(url))
    .map((entry) => audiencesOf(entry, named))
  const errors = [
    ...(isInVain
      ? ['issuers: auth: none lets everybody call, whoever is listed here; leave one of them out']
      : []),
    ...[...twice].map((url) => `issuers: ${url} stands there twice`),
    ...chosen
      .filter((url) => issuers.length > 0 && !urls.includes(url))
      .map((url) => `oidc-issuers: ${url} is not among issuers`),
    ...entries.flatMap((entry) => (entry.ok ? [] : [entry.error])),
  ]
  return errors.length > 0
    ? fail(errors)
    : ok(entries.flatMap((entry) => (entry.ok ? [entry.value] : [])))
}
