// Which URLs a namespace's pods may claim as their own (`public-url`): what the floor lists, to the letter, below a path
// (`https://mcp.example.com/team-a/*`), or with `{namespace}` for the pod's own. Pure.

/** By namespace; `*` is every namespace. */
export type PublicUrls = Readonly<Record<string, readonly string[]>>

/** How a URL stands in tokens: clients write one with a slash at its end or without. */
export const urlSpellings = (url: string): readonly [string, string] => [
  url,
  url.endsWith('/') ? url.slice(0, -1) : `${url}/`,
]

export const EVERY_NAMESPACE = '*'
const OWN = '{namespace}'
const BELOW = '/*'

/** The URL as every reader takes it: nothing encoded, no dots to walk up by, no port that goes without saying. */
const isCanonical = (text: string): boolean => {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol)) return false
  const rest = url.username + url.password + url.search + url.hash
  const isPlain = rest === '' && !/[%;?#\\]/.test(text) && !url.pathname.includes('//')
  return isPlain && urlSpellings(url.href).includes(text)
}

/** What is wrong with a listed URL; undefined where it can be claimed. */
export const patternFault = (pattern: string): string | undefined => {
  const end = pattern.endsWith(BELOW) ? -BELOW.length : undefined
  const sample = pattern.slice(0, end).replaceAll(OWN, 'namespace')
  return isCanonical(sample) && !/[*{}]/.test(sample)
    ? undefined
    : 'can never be claimed: use an http or https URL in its plain form, without user, query, fragment or anything encoded; /* at its end is everything below, {namespace} the pod’s namespace'
}

/** Why a URL may not be listed for every namespace. */
export const sharedFault = (pattern: string): string | undefined =>
  pattern.includes(OWN)
    ? undefined
    : 'every namespace could claim the URL of another: put {namespace} into it, or list it under the namespace whose it is'

/** What is listed for a namespace, its own name filled in. */
export const publicUrlsFor = (namespace: string, listed: PublicUrls): readonly string[] =>
  [namespace, EVERY_NAMESPACE]
    .flatMap((name) => (Object.hasOwn(listed, name) ? (listed[name] ?? []) : []))
    .map((pattern) => pattern.replaceAll(OWN, () => namespace))

const covers = (listed: string, url: string): boolean => {
  if (!listed.endsWith(BELOW)) return urlSpellings(listed).includes(url)
  const above = listed.slice(0, -1)
  return url.startsWith(above) && url.length > above.length
}

/** Whether a URL is one of those that are listed for the pod's namespace. */
export const mayClaim = (url: string, urls: readonly string[]): boolean =>
  isCanonical(url) && urls.some((listed) => covers(listed, url))
