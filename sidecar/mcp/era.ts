// Which era a message belongs to, and whether the modern envelope and its headers agree with the body. Pure;
// the body decides, headers only have to agree (2026-07-28: transports, standard headers; `_meta`). The era comes before
// the form: of a server without the modern era a client must learn that, and not what its headers lack.

import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from './faults.ts'
import { member, stringAt, type Message, type Notification, type Request } from './message.ts'
import { CAPABILITIES_KEY, VERSION_KEY } from './meta.ts'
import { isModernVersion, MODERN, revisionOf, SUPPORTED } from './revision.ts'
import { decodeHeader, type HeaderOf } from './header-value.ts'

export const VERSION_HEADER = 'mcp-protocol-version'
const METHOD_HEADER = 'mcp-method'

/** Which parameter `Mcp-Name` mirrors, by method (SEP-2243; tasks by SEP-2663). */
const NAME_SOURCE: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

/** What a request is about, where it is about one thing. */
export const subjectOf = ({ method, text, params }: Request): string | undefined => {
  const source = NAME_SOURCE.get(method)
  return source === undefined ? undefined : stringAt(text, member(params, source))
}

const mismatch = (message: string): Result<never, Fault> => fail(fault('header-mismatch', message))

/** What a message claims to be by its body; `unclaimed`: it claims nothing, and its header names a modern version. */
export type Claim =
  | { readonly era: 'legacy' | 'unclaimed' }
  /** `version` is undefined where it is no string. */
  | { readonly era: 'modern'; readonly version: string | undefined }

const LEGACY: Claim = { era: 'legacy' }
const UNCLAIMED: Claim = { era: 'unclaimed' }

/** What a message claims to be. `initialize` exists in the legacy era only, whatever its header says. */
export const claimOf = (message: Message, headerOf: HeaderOf): Claim => {
  if (message.kind !== 'response') {
    const place = member(message.meta, VERSION_KEY)
    const version = stringAt(message.text, place)
    const isOpening = message.method === 'initialize'
    const claims = isOpening
      ? version !== undefined && isModernVersion(version)
      : place !== undefined
    if (claims) return { era: 'modern', version }
    if (isOpening) return LEGACY
  }
  const version = headerOf(VERSION_HEADER)
  return version !== undefined && isModernVersion(version) ? UNCLAIMED : LEGACY
}

/** Whether an initialize bears a header that no legacy client has: the body is what is negotiated by. */
export const isOddInitialize = (message: Message, headerOf: HeaderOf): boolean => {
  if (message.kind !== 'request' || message.method !== 'initialize') return false
  const version = headerOf(VERSION_HEADER)
  return version !== undefined && revisionOf(version)?.era !== 'legacy'
}

/** What is wrong with the version header of a legacy message; `negotiated`: what the session's own server has said. */
export const versionFault = (headerOf: HeaderOf, negotiated: string): Fault | undefined => {
  const version = headerOf(VERSION_HEADER)
  const isRight =
    version === undefined || version === negotiated || revisionOf(version)?.era === 'legacy'
  return isRight
    ? undefined
    : fault(
        'unsupported-version',
        `MCP-Protocol-Version ${JSON.stringify(version)} is not supported`,
        { data: { supported: SUPPORTED, requested: version } },
      )
}

/** What a modern message has been read to say; a notification need not say anything. */
export interface Stated {
  readonly version: string | undefined
  /** Of a request that is about one thing, which: a tool, a prompt, a resource, a task. */
  readonly name: string | undefined
}

const NOTHING_STATED: Result<Stated, Fault> = ok({ version: undefined, name: undefined })

/** Reads a modern message's envelope, with which the headers have to agree. */
export const readEnvelope = (
  message: Message,
  claim: Claim,
  headerOf: HeaderOf,
): Result<Stated, Fault> => {
  if (message.kind === 'response') {
    return fail(fault('invalid-request', `clients send no responses in ${MODERN}`))
  }
  if (claim.era === 'modern') return readClaimed(message, claim.version, headerOf)
  return message.kind === 'notification'
    ? NOTHING_STATED
    : fail(fault('invalid-params', `params._meta needs ${VERSION_KEY} and ${CAPABILITIES_KEY}`))
}

const readClaimed = (
  message: Request | Notification,
  version: string | undefined,
  headerOf: HeaderOf,
): Result<Stated, Fault> => {
  if (version === undefined) {
    return fail(fault('invalid-params', `params._meta: ${VERSION_KEY} is no string`))
  }
  const isRequest = message.kind === 'request'
  if (isRequest && member(message.meta, CAPABILITIES_KEY)?.object === undefined) {
    const wrong = `params._meta: ${CAPABILITIES_KEY} is missing or no object`
    return fail(fault('invalid-params', wrong))
  }
  const wrong = disagreement(message, version, headerOf)
  if (wrong !== undefined) return mismatch(wrong)
  return isRequest ? readRequest(message, version, headerOf) : ok({ version, name: undefined })
}

/** How the headers that are there deny what the body says. */
const disagreement = (
  { method }: Request | Notification,
  version: string,
  headerOf: HeaderOf,
): string | undefined => {
  const inHead = headerOf(VERSION_HEADER)
  if (inHead !== undefined && inHead !== version) {
    return `the body says version ${version}, the MCP-Protocol-Version header ${inHead}`
  }
  const methodInHead = headerOf(METHOD_HEADER)
  return methodInHead === undefined || methodInHead === method
    ? undefined
    : `the body says method ${method}, the Mcp-Method header ${methodInHead}`
}

/** Of a request the headers must be there, and the one that names what it is about. */
const readRequest = (
  { text, method, params }: Request,
  version: string,
  headerOf: HeaderOf,
): Result<Stated, Fault> => {
  if (headerOf(VERSION_HEADER) === undefined) {
    return mismatch('the MCP-Protocol-Version header is missing')
  }
  if (headerOf(METHOD_HEADER) === undefined) return mismatch('the Mcp-Method header is missing')
  const source = NAME_SOURCE.get(method)
  if (source === undefined) return ok({ version, name: undefined })
  const name = stringAt(text, member(params, source))
  if (name === undefined) {
    return fail(fault('invalid-params', `params.${source} is missing or no string`))
  }
  const header = headerOf('mcp-name')
  if (header === undefined) return mismatch(`the Mcp-Name header is missing (params.${source})`)
  const decoded = decodeHeader(header)
  if (decoded === undefined) {
    return mismatch('the Mcp-Name header has characters or an encoding that are not allowed')
  }
  return decoded === name
    ? ok({ version, name })
    : mismatch(`the Mcp-Name header does not say what params.${source} says`)
}
