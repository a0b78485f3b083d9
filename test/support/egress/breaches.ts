// What of the frames that have left a pod must not have: all of the server's, and of the sidecar's what the row does not have it do.

import { RESOLVER, SIDECAR_ADDRESSES } from './addresses.ts'
import type { Frame } from './capture.ts'
import type { Row, SidecarMay } from './row.ts'

const NAME_SERVICE = 53
const DNS_HEAD = 12
/** Port unreachable, of a datagram (its header has no options) from the name service. */
const QUOTED_ANSWER = /^\x03\x03[^]{6}E[^]{8}\x11[^]{10}\0\x35/

/** The name that a question is about. */
export const askedIn = (text: string): string => {
  const labels: string[] = []
  for (let at = DNS_HEAD; at < text.length;) {
    const length = text.charCodeAt(at)
    if (length === 0) break
    labels.push(text.slice(at + 1, at + 1 + length))
    at += 1 + length
  }
  return labels.join('.').toLowerCase()
}

const isOf = (addresses: readonly string[], address: string): boolean => addresses.includes(address)

const mayAsk = ({ text, to, port, kind }: Frame, { asks = [] }: SidecarMay): boolean =>
  kind === 'udp' && to === RESOLVER && port === NAME_SERVICE && asks.includes(askedIn(text))

const maySend = ({ text, to }: Frame, { dials = [], sendsAllBut }: SidecarMay): boolean =>
  isOf(dials, to) && (text === '' || (sendsAllBut !== undefined && !text.includes(sendsAllBut)))

/** An end or an acknowledgement says nothing, and may come late. */
const isSilent = ({ kind, flags = '', text }: Frame): boolean =>
  kind === 'tcp' && text === '' && !flags.includes('S')

/** What the pod's kernel says where nobody listens. */
const isRefusal = ({ kind, flags = '', text }: Frame): boolean =>
  kind === 'tcp' && text === '' && flags.includes('R')

/** The kernel's word that nobody waits any more for what the resolver answers: it quotes that, and nothing of the pod's. */
const isTooLate = ({ kind, to, text }: Frame): boolean =>
  kind === 'icmp' && to === RESOLVER && QUOTED_ANSWER.test(text)

export const breachesOf = (frames: readonly Frame[], { sidecar = {} }: Row): readonly Frame[] =>
  frames.filter((frame) => {
    if (!isOf(SIDECAR_ADDRESSES, frame.from)) return !isRefusal(frame)
    return (
      !isSilent(frame) && !isTooLate(frame) && !mayAsk(frame, sidecar) && !maySend(frame, sidecar)
    )
  })
