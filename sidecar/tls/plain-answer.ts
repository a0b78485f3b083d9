// What a client is told that speaks plain HTTP where TLS is spoken. What it has sent, a token perhaps, has crossed the
// network in clear: it is told, and led nowhere. Pure.

import { FAULTS, fault, faultText } from '../mcp/faults.ts'

const FAULT = fault(
  'tls-required',
  'this port speaks TLS: call it by https://; what was sent here, a token too, has crossed the network in clear',
)
const BODY = faultText(FAULT)

const METHOD = /^[A-Z]{3,7} /
const METHOD_BEGUN = /^[A-Z]{1,7}$/
/** A method with what follows it; no record of TLS begins so (RFC 8446, section 5.1). */
const beginning = (bytes: Buffer): string => bytes.toString('latin1', 0, 8)

export const plainAnswer = {
  /** Whether a connection begins with a request of HTTP/1. */
  isFor: (bytes: Buffer): boolean => METHOD.test(beginning(bytes)),
  /** Whether that takes more bytes to tell, at most eight. */
  mayBeFor: (bytes: Buffer): boolean => METHOD_BEGUN.test(beginning(bytes)),
  text: [
    `HTTP/1.1 ${FAULTS['tls-required'].status} Bad Request`,
    'content-type: application/json',
    `content-length: ${BODY.length}`,
    'connection: close',
    '',
    BODY,
  ].join('\r\n'),
} as const
