// Which URLs a pod may claim as its own (`public-url`): what the floor lists, to the letter, below a path
// (`https://mcp.example.com/team-a/*`), or with what the pod is in its place (`{namespace}`, `{name}`, `{serviceAccount}`). Pure.

/** Whose URL it is: a pod's namespace, the name of its workload, and the ServiceAccount that it runs as. */
export interface Claimant {
  readonly namespace: string
  readonly name: string
  readonly serviceAccount: string
}

/** A URL of any server of its namespace, or of those that are named. */
export type ListedUrl =
  | string
  | {
      readonly url: string
      readonly name?: string | undefined
      readonly serviceAccount?: string | undefined
    }

/** By namespace; `*` is every namespace. */
export type PublicUrls = Readonly<Record<string, readonly ListedUrl[]>>

/** How a URL stands in tokens: clients write one with a slash at its end or without. */
export const urlSpellings = (url: string): readonly [string, string] => [
  url,
  url.endsWith('/') ? url.slice(0, -1) : `${url}/`,
]

export const EVERY_NAMESPACE = '*'
const OWN = '{namespace}'
const PLACES = ['namespace', 'name', 'serviceAccount'] as const
const BELOW = '/*'

/** As the API server has names; whatever else an owner is called by fills no place. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

/** The URL with the places filled in; undefined where what belongs there is no name. */
const filled = (url: string, claimant: Claimant): string | undefined => {
  let text = url
  for (const place of PLACES) {
    const [hole, value] = [`{${place}}`, claimant[place]]
    if (!text.includes(hole)) continue
    if (!NAME.test(value) || value.includes('..')) return undefined
    text = text.replaceAll(hole, () => value)
  }
  return text
}

/** The URL as every reader takes it: nothing encoded, no dots to walk up by, no port that goes without saying. */
const isCanonical = (text: string): boolean => {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return false
  const rest = url.username + url.password + url.search + url.hash
  const isPlain = rest === '' && !/[%;?#\\]/.test(text) && !url.pathname.includes('//')
  return isPlain && urlSpellings(url.href).includes(text)
}

const SAMPLE: Claimant = { namespace: 'namespace', name: 'name', serviceAccount: 'account' }

/** What is wrong with a listed URL; undefined where it can be claimed. */
export const patternFault = (pattern: string): string | undefined => {
  const end = pattern.endsWith(BELOW) ? -BELOW.length : undefined
  const sample = filled(pattern.slice(0, end), SAMPLE) ?? ''
  return isCanonical(sample) && !/[*{}]/.test(sample)
    ? undefined
    : 'can never be claimed: use an http or https URL in its plain form, without user, query, fragment or anything encoded; /* at its end is everything below, {namespace}, {name} and {serviceAccount} what the pod has of these'
}

/** Why a URL may not be listed for every namespace. */
export const sharedFault = (pattern: string): string | undefined =>
  pattern.includes(OWN)
    ? undefined
    : 'every namespace could claim the URL of another: put {namespace} into it, or list it under the namespace whose it is'

const isFor = (one: ListedUrl, { name, serviceAccount }: Claimant): boolean =>
  typeof one === 'string' ||
  ((one.name ?? name) === name && (one.serviceAccount ?? serviceAccount) === serviceAccount)

export const urlOf = (one: ListedUrl): string => (typeof one === 'string' ? one : one.url)

/** What is listed for a server, its places filled in. */
export const publicUrlsFor = (claimant: Claimant, listed: PublicUrls): readonly string[] =>
  [claimant.namespace, EVERY_NAMESPACE]
    .flatMap((name) => (Object.hasOwn(listed, name) ? (listed[name] ?? []) : []))
    .filter((one) => isFor(one, claimant))
    .flatMap((one) => filled(urlOf(one), claimant) ?? [])

const covers = (listed: string, url: string): boolean => {
  if (!listed.endsWith(BELOW)) return urlSpellings(listed).includes(url)
  const above = listed.slice(0, -1)
  return url.startsWith(above) && url.length > above.length
}

/** Whether a URL is one of those that are listed for the pod. */
export const mayClaim = (url: string, urls: readonly string[]): boolean =>
  isCanonical(url) && urls.some((listed) => covers(listed, url))
