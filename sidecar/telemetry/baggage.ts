// Which workflow and which agent a client says that it calls for: W3C Baggage, in `params._meta.baggage` (SEP-414) or the
// header. Nobody has checked it: it goes no further than into spans, under a name that says so. Pure.

import { withoutSecrets } from '../../shared/audit/secrets.ts'

/** W3C Baggage, 3.3.2: what everybody has to take. */
const MAX_LENGTH = 8192
const MAX_MEMBERS = 180
/** What is copied: these words, as they are or of OpenTelemetry's `gen_ai`, with an id or a name. */
const KEY = /^(?:gen_ai\.)?(?:workflow|agent|conversation)(?:[._-](?:id|name))?$/

export const ASSERTED = 'outrigger.asserted.'

const decoded = (text: string): string | undefined => {
  try {
    const value = decodeURIComponent(text)
    return value.isWellFormed() ? value : undefined
  } catch {
    return undefined
  }
}

/** Attributes of what is copied; of a key that comes twice the first. */
export const assertedIn = (baggage: string | undefined): Readonly<Record<string, string>> => {
  if (baggage === undefined || baggage.length > MAX_LENGTH) return {}
  const found = new Map<string, string>()
  for (const one of baggage.split(',', MAX_MEMBERS)) {
    const [pair = ''] = one.split(';', 1)
    const [key = '', ...rest] = pair.split('=')
    const name = `${ASSERTED}${key.trim()}`
    const value = KEY.test(key.trim()) ? decoded(rest.join('=').trim()) : undefined
    if (value === undefined || value === '' || found.has(name)) continue
    found.set(name, withoutSecrets(value))
  }
  return Object.fromEntries(found)
}
