// The names of the tools in a server's list, as far as they may stand in a label. Pure.

import { isObject } from '../../shared/json.ts'
import { member, valueAt, type Response } from '../mcp/message.ts'
import { OTHER } from './known-words.ts'

/** A list becomes objects, which take twenty times its text at worst: what is longer is not read. */
const MAX_LIST_LENGTH = 1024 * 1024
/** What MCP lets a tool's name be, and what servers make of it all the same; no control characters. */
const NAME = /^[^\p{C}]{1,128}$/u

export const toolNames = ({ text, result }: Response): readonly string[] => {
  if (text.length > MAX_LIST_LENGTH) return []
  const tools = valueAt(text, member(result?.object, 'tools'))
  if (!Array.isArray(tools)) return []
  return tools.flatMap((tool: unknown) => {
    const name = isObject(tool) ? tool['name'] : undefined
    return typeof name === 'string' && NAME.test(name) && name !== OTHER ? [name] : []
  })
}
