// Why something is not reached: the codes that records, metrics and answers share.

/** Why an attempt was refused, did not come about, or would have been refused. */
export const WHYS = [
  /** No destination is about it. */
  'undeclared',
  /** What it names is no host and port. */
  'malformed',
  /** An address that is not public, and that nothing declares. */
  'address',
  /** The link, a metadata service, this pod, or no host at all: never. */
  'forbidden-address',
  /** On a TLS port something else was spoken. */
  'no-tls',
  /** TLS names another server, or none. */
  'tls-name',
  /** TLS hides whom it names. */
  'tls-encrypted-name',
  /** The session has moved all the bytes that it may. */
  'bytes',
  /** Its client has too many connections, or the proxy has. */
  'connections',
  /** The name leads nowhere, or the name service does not answer. */
  'unresolved',
  'unreachable',
  'late',
  /** The company's own proxy does not let it through. */
  'parent',
  /** What it answers is no HTTP. */
  'answer',
  /** It cannot be put on record. */
  'records',
] as const
export type Why = (typeof WHYS)[number]
