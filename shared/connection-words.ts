// Why a connection did not come about or broke, in words: the system, TLS and HTTP have codes. Pure.

import { codeOf } from './error-code.ts'
import { messageOf } from './message.ts'

export const UNTRUSTED = 'nobody who is trusted here has signed its certificate'
export const NO_TLS = 'it does not speak TLS'

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host is known here',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was dropped',
  EPIPE: 'the connection was dropped',
  ETIMEDOUT: 'it does not answer',
  EHOSTUNREACH: 'no way leads there',
  ENETUNREACH: 'no way leads there',
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: NO_TLS,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another host',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_HEADERS_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'the connection was dropped',
}

/** Of the parser of HTTP. */
const isNoHttp = (code: string): boolean => code.startsWith('HPE_')

/** One line: with the code, by which others have asked before. */
export const connectionWords = (error: unknown): string => {
  const code = codeOf(error)
  const words = isNoHttp(code) ? 'what it answers is no HTTP' : WORDS[code]
  return words === undefined
    ? messageOf(error).replaceAll(/\s+/g, ' ').trim()
    : `${words} (${code})`
}
