// Where the tools' own schemas say that secrets stand, learnt from each list of them that passes. Bounded; of a tool whose
// schema has not been seen, or has been seen in too many forms, everything is a secret.

import { createHash } from 'node:crypto'
import { isList, isObject, type Json } from '../../../shared/json.ts'
import { shapeOfSchema } from './schema-shape.ts'
import { emptyShape, SECRET, type Shape } from './shape.ts'

const MAX_TOOLS = 4096
const MAX_NAME = 256
/** Sessions may see a tool in so many forms. */
const MAX_FORMS = 4
/** A list becomes objects, which take many times its text. */
const MAX_LIST = 1024 * 1024
const MAX_LISTS = 64

interface Known {
  readonly forms: Set<string>
  readonly arguments: Shape[]
  readonly results: Shape[]
}

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64')

export const within = (name: string, shape: Shape): Shape => ({
  ...emptyShape(),
  members: new Map([[name, shape]]),
})
const inArguments = (shape: Shape): Shape => within('arguments', shape)
const inResult = (shape: Shape): Shape => within('structuredContent', shape)
/** In the texts of a result's content, and of resources that are embedded there. */
export const inTexts = (shape: Shape): Shape => {
  const members = new Map([
    ['text', shape],
    ['blob', shape],
  ])
  const resource: Shape = { ...emptyShape(), members }
  const item: Shape = {
    ...emptyShape(),
    members: new Map([
      ['text', shape],
      ['resource', resource],
    ]),
  }
  return within('content', { ...emptyShape(), items: item })
}

const ALL = { arguments: [inArguments(SECRET)], results: [inResult(SECRET)] } as const

export class ToolShapes {
  private readonly tools = new Map<string, Known>()
  private readonly lists = new Set<string>()

  /** A result of `tools/list`: JSON text that has been scanned. */
  learn(text: string): void {
    if (text.length > MAX_LIST) return
    const own = digestOf(text)
    if (this.lists.has(own)) return
    if (this.lists.size >= MAX_LISTS) this.lists.clear()
    this.lists.add(own)
    const list: Json = JSON.parse(text)
    const tools = isObject(list) ? list['tools'] : undefined
    for (const tool of isList(tools) ? tools : []) this.learnTool(tool)
  }

  /** Of the parameters of its calls. */
  arguments(tool: string): readonly Shape[] {
    return (this.tools.get(tool) ?? ALL).arguments
  }

  /** Of their results. */
  results(tool: string): readonly Shape[] {
    return (this.tools.get(tool) ?? ALL).results
  }

  private learnTool(tool: Json): void {
    if (!isObject(tool)) return
    const { name, inputSchema, outputSchema } = tool
    if (typeof name !== 'string' || name.length > MAX_NAME) return
    const known = this.knownOf(name)
    const form = digestOf(JSON.stringify([inputSchema, outputSchema]))
    if (!known || known.forms.has(form) || known.forms.size > MAX_FORMS) return
    known.forms.add(form)
    if (known.forms.size > MAX_FORMS) {
      known.arguments.push(...ALL.arguments)
      known.results.push(...ALL.results)
      return
    }
    const [input, output] = [shapeOfSchema(inputSchema), shapeOfSchema(outputSchema)]
    if (input) known.arguments.push(inArguments(input))
    // What a text repeats of it stands there in any form.
    if (output) known.results.push(inResult(output), inTexts(SECRET))
  }

  private knownOf(name: string): Known | undefined {
    const known = this.tools.get(name)
    if (known || this.tools.size >= MAX_TOOLS) return known
    const own: Known = { forms: new Set(), arguments: [], results: [] }
    this.tools.set(name, own)
    return own
  }
}
