// What of what was reached somebody has to decide, and why: what cannot be declared, and what may have been refused rightly. Pure.

import { addressOf, kindOf } from '../../shared/address.ts'
import { destinationOf } from '../../shared/destination.ts'
import { isMetadataName } from '../../shared/host-name.ts'
import { placeOf, type Tally } from './tally.ts'

const DNS = 53
const DNS_WORDS =
  'it asks for names itself: by the proxy it need not, and where egress is enforced it cannot'
const GATED_WORDS =
  'spoke no TLS that names it, and on this port nothing else passes where egress is enforced: let the server do so, then declare it'
const METADATA_WORDS = 'link-local, or where a cloud gives out credentials: leave it out'

/** Of what is never offered, whoever was seen there. */
const whyNever = (tally: Tally): string | undefined => {
  const { host, port, declared, forbidden, attempts } = tally
  const address = addressOf(host)
  const kind = address && kindOf(address)
  if (kind === 'near' || isMetadataName(host)) return METADATA_WORDS
  if (kind === 'never') return 'no host: nothing leads there'
  if (kind === 'loopback' && declared === undefined) {
    return `somebody else in the pod, where no name leads: if that is right, write the forward ${port}=${placeOf(host, port)} yourself`
  }
  return forbidden === attempts ? whyForbidden(tally) : undefined
}

/** Of what has led nowhere else but where no destination leads. */
const whyForbidden = ({ port, addresses }: Tally): string => {
  const local = [...addresses].find((text) => {
    const address = addressOf(text)
    return address && kindOf(address) === 'loopback'
  })
  return local === undefined
    ? 'the pod itself, or the link: no destination leads there'
    : `leads to ${local}, somebody else in the pod, where no name may lead: if that is right, let the server ask for ${placeOf(local, port)} and declare that`
}

/** Why somebody has to look at it; undefined where it is certain. */
export const whyDoubtful = (tally: Tally): string | undefined => {
  const { host, port, protocol, declared, counts, attempts, gated } = tally
  if (protocol !== 'tcp') return port === DNS ? DNS_WORDS : 'only TCP can be declared'
  const never = whyNever(tally)
  if (never !== undefined) return never
  if (!destinationOf(declared ?? placeOf(host, port)))
    return 'no destination that could be declared'
  if (gated === attempts) return GATED_WORDS
  if (counts.has('allowed') || counts.has('observed')) return undefined
  return counts.get('failed') === attempts
    ? 'never reached: is the name right?'
    : 'refused each time: declare it if the server needs it'
}
