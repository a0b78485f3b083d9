// Which era a message belongs to, and whether the modern envelope and its headers agree with the body. Pure;
// the body decides, headers only have to agree (2026-07-28: transports, standard headers; `_meta`). The era comes before
// the form: of a server without the modern era a client must learn that, and not what its headers lack.

import { fault, type Fault } from './faults.ts'
import { member, metaOf, stringAt, type Message, type Request } from './message.ts'
import { CAPABILITIES_KEY, VERSION_KEY } from './meta.ts'
import { isModernVersion, MODERN, revisionOf, SUPPORTED, type Era } from './revision.ts'
import { decodeHeader, type HeaderOf } from './header-value.ts'

export const VERSION_HEADER = 'mcp-protocol-version'

/** Which parameter `Mcp-Name` mirrors, by method (SEP-2243; tasks by SEP-2663). */
const NAME_SOURCE: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

const mismatch = (message: string): Fault => fault('header-mismatch', message)

/** What a message is by its body; `unclaimed`: it claims nothing, and its header names a modern version. */
export type Claim = Era | 'unclaimed'

/** What a message claims to be. `initialize` exists in the legacy era only, whatever its header says. */
export const claimOf = (message: Message, headerOf: HeaderOf): Claim => {
  if (message.kind !== 'response') {
    const claim = member(metaOf(message), VERSION_KEY)
    const claimed = stringAt(message.text, claim)
    if (message.method === 'initialize') {
      return claimed !== undefined && isModernVersion(claimed) ? 'modern' : 'legacy'
    }
    if (claim !== undefined) return 'modern'
  }
  const version = headerOf(VERSION_HEADER)
  return version !== undefined && isModernVersion(version) ? 'unclaimed' : 'legacy'
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

/** What is wrong with a modern message's envelope, or with the headers that have to agree with it. */
export const envelopeFault = (message: Message, headerOf: HeaderOf): Fault | undefined => {
  if (message.kind === 'response') {
    return fault('invalid-request', `clients send no responses in ${MODERN}`)
  }
  const claim = member(metaOf(message), VERSION_KEY)
  if (claim !== undefined) return claimFault(message, stringAt(message.text, claim), headerOf)
  return message.kind === 'notification'
    ? undefined
    : fault('invalid-params', `params._meta needs ${VERSION_KEY} and ${CAPABILITIES_KEY}`)
}

const claimFault = (
  message: Exclude<Message, { kind: 'response' }>,
  claimed: string | undefined,
  headerOf: HeaderOf,
): Fault | undefined => {
  if (claimed === undefined) {
    return fault('invalid-params', `params._meta: ${VERSION_KEY} is no string`)
  }
  const capabilities = member(metaOf(message), CAPABILITIES_KEY)
  if (message.kind === 'request' && capabilities?.object === undefined) {
    return fault('invalid-params', `params._meta: ${CAPABILITIES_KEY} is missing or no object`)
  }
  const version = headerOf(VERSION_HEADER)
  if (version !== undefined && version !== claimed) {
    return mismatch(`the body says version ${claimed}, the MCP-Protocol-Version header ${version}`)
  }
  const method = headerOf('mcp-method')
  if (method !== undefined && method !== message.method) {
    return mismatch(`the body says method ${message.method}, the Mcp-Method header ${method}`)
  }
  return message.kind === 'notification' ? undefined : missingHeader(message, headerOf)
}

const missingHeader = (message: Request, headerOf: HeaderOf): Fault | undefined => {
  if (headerOf(VERSION_HEADER) === undefined) {
    return mismatch('the MCP-Protocol-Version header is missing')
  }
  if (headerOf('mcp-method') === undefined) return mismatch('the Mcp-Method header is missing')
  const source = NAME_SOURCE.get(message.method)
  if (source === undefined) return undefined
  const name = stringAt(message.text, member(message.params, source))
  if (name === undefined) {
    return fault('invalid-params', `params.${source} is missing or no string`)
  }
  const header = headerOf('mcp-name')
  if (header === undefined) return mismatch(`the Mcp-Name header is missing (params.${source})`)
  const decoded = decodeHeader(header)
  if (decoded === undefined) {
    return mismatch('the Mcp-Name header has characters or an encoding that are not allowed')
  }
  return decoded === name
    ? undefined
    : mismatch(`the Mcp-Name header does not say what params.${source} says`)
}
