// What spans of many calls have in common, as those of one tool do that one connection calls: worked out, and written as bytes,
// when the first of them comes. Of its own a call has little.

import { remembered } from './remembered.ts'
import {
  clientSide,
  received,
  sent,
  serverSide,
  type Received,
  type Sent,
} from './span-attributes.ts'
import { attributesAsBytes } from './span-bytes.ts'
import type { Attributes, Shared, SpanStart } from './trace.ts'

type Naming = (attributes: Attributes) => Attributes

const sharedBy = ({ name, attributes }: Pick<SpanStart, 'name' | 'attributes'>): Shared => ({
  name,
  bytes: attributesAsBytes(attributes),
  count: Object.keys(attributes).length,
})

export class SharedAttributes {
  private readonly ofServer: (text: string, of: Received) => Shared
  private readonly ofClient: (text: string, of: Sent) => Shared

  /** `naming` gives attributes the names that are wanted. */
  constructor(naming: Naming) {
    const named = ({ name, attributes }: ReturnType<typeof serverSide>): Shared =>
      sharedBy({ name, attributes: naming(attributes) })
    this.ofServer = remembered((_text, of) => named(serverSide(of)))
    this.ofClient = remembered((_text, of) => named(clientSide(of)))
  }

  /** Of the SERVER span of a message. */
  received(...message: Parameters<typeof received>): Shared {
    const of = received(...message)
    return this.ofServer(JSON.stringify(of), of)
  }

  /** Of its CLIENT span. */
  sent(...message: Parameters<typeof sent>): Shared {
    const of = sent(...message)
    return this.ofClient(JSON.stringify(of), of)
  }
}
