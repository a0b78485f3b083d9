// Why a registry's host was not reached, in words and with what helps: the system and OpenSSL have codes. Pure.

import { codeOf } from '../../shared/error-code.ts'
import { messageOf } from '../../shared/message.ts'

const UNTRUSTED =
  'nobody who is trusted here has signed its certificate (`caFile` of its entry in `registries` names an authority)'
const NO_TLS =
  'it does not speak TLS (`allowPlainHttp: true` of its entry in `registries` does without)'

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'no such host is known here',
  EAI_AGAIN: 'the name service does not answer',
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was dropped',
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
}

/** One line: with the code, by which others have asked before. */
export const httpWords = (error: unknown): string => {
  const code = codeOf(error)
  const words = WORDS[code]
  return words === undefined
    ? messageOf(error).replaceAll(/\s+/g, ' ').trim()
    : `${words} (${code})`
}
