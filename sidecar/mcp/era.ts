// Which era a message belongs to, and whether the modern envelope and its headers agree with the body. Pure;
// the body decides, headers only have to agree (2026-07-28: transports, standard headers; `_meta`).

import { fail, ok, type Result } from '../../shared/result.ts'
import { fault, type Fault } from './faults.ts'
import { member, metaOf, stringAt, type Message, type Request } from './message.ts'
import { CAPABILITIES_KEY, VERSION_KEY } from './meta.ts'
import { isModernVersion, MODERN, revisionOf, SUPPORTED, type Era } from './revision.ts'
import { decodeHeader, type HeaderOf } from './header-value.ts'

const VERSION_HEADER = 'mcp-protocol-version'

/** Which parameter `Mcp-Name` mirrors, by method (SEP-2243; tasks by SEP-2663). */
const NAME_SOURCE: ReadonlyMap<string, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
])

const mismatch = (message: string): Result<Era, Fault> => fail(fault('header-mismatch', message))

/** The era of a message, or what is wrong with it. */
export const eraOf = (message: Message, headerOf: HeaderOf): Result<Era, Fault> => {
  const version = headerOf(VERSION_HEADER)
  if (message.kind !== 'response') {
    const claim = member(metaOf(message), VERSION_KEY)
    const claimed = stringAt(message.text, claim)
    const isHandshake =
      message.method === 'initialize' && !(claimed !== undefined && isModernVersion(claimed))
    if (claim !== undefined && !isHandshake) return modern(message, claimed, headerOf)
  }
  return version !== undefined && isModernVersion(version) ? unclaimed(message) : legacy(version)
}

/** A modern header over a body that claims nothing: never taken for the one or the other. */
const unclaimed = (message: Message): Result<Era, Fault> => {
  if (message.kind === 'notification') return ok('modern')
  if (message.kind === 'response') {
    return fail(fault('invalid-request', `clients send no responses in ${MODERN}`))
  }
  return message.method === 'initialize'
    ? mismatch('initialize, which is legacy, came with a modern MCP-Protocol-Version header')
    : fail(fault('invalid-params', `params._meta needs ${VERSION_KEY} and ${CAPABILITIES_KEY}`))
}

const legacy = (version: string | undefined): Result<Era, Fault> =>
  version === undefined || revisionOf(version)?.era === 'legacy'
    ? ok('legacy')
    : fail(
        fault(
          'unsupported-version',
          `MCP-Protocol-Version ${JSON.stringify(version)} is not supported`,
          {
            data: { supported: SUPPORTED, requested: version },
          },
        ),
      )

const modern = (
  message: Exclude<Message, { kind: 'response' }>,
  claimed: string | undefined,
  headerOf: HeaderOf,
): Result<Era, Fault> => {
  const capabilities = member(metaOf(message), CAPABILITIES_KEY)
  if (claimed === undefined)
    return fail(fault('invalid-params', `params._meta: ${VERSION_KEY} is no string`))
  if (message.kind === 'request' && capabilities?.object === undefined) {
    return fail(
      fault('invalid-params', `params._meta: ${CAPABILITIES_KEY} is missing or no object`),
    )
  }
  const version = headerOf(VERSION_HEADER)
  if (version !== undefined && version !== claimed) {
    return mismatch(`the body says version ${claimed}, the MCP-Protocol-Version header ${version}`)
  }
  const method = headerOf('mcp-method')
  if (method !== undefined && method !== message.method) {
    return mismatch(`the body says method ${message.method}, the Mcp-Method header ${method}`)
  }
  return message.kind === 'notification' ? ok('modern') : required(message, version, headerOf)
}

const required = (
  message: Request,
  version: string | undefined,
  headerOf: HeaderOf,
): Result<Era, Fault> => {
  if (version === undefined) return mismatch('the MCP-Protocol-Version header is missing')
  if (headerOf('mcp-method') === undefined) return mismatch('the Mcp-Method header is missing')
  const source = NAME_SOURCE.get(message.method)
  if (source === undefined) return ok('modern')
  const name = stringAt(message.text, member(message.params, source))
  if (name === undefined) {
    return fail(fault('invalid-params', `params.${source} is missing or no string`))
  }
  const header = headerOf('mcp-name')
  if (header === undefined) return mismatch(`the Mcp-Name header is missing (params.${source})`)
  const decoded = decodeHeader(header)
  if (decoded === undefined)
    return mismatch('the Mcp-Name header has characters or an encoding that are not allowed')
  return decoded === name
    ? ok('modern')
    : mismatch(`the Mcp-Name header does not say what params.${source} says`)
}
