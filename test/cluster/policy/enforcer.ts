// Follows pods, namespaces and policies through the API and keeps the node's table as they ask. A
// watch that ends is begun anew; while it is away the last table stands.

import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { at, list } from '../api.ts'
import { run } from '../machine/run.ts'
import { namespaceSchema, podSchema, policySchema } from './objects.ts'
import { nftables } from './rules.ts'

const RESTART_MS = 500
const SETTLE_MS = 20

const eventSchema = z.object({ type: z.string(), object: z.unknown() })

const keyOf = (object: unknown): string =>
  `${String(at(object, 'metadata', 'namespace'))}/${String(at(object, 'metadata', 'name'))}`

/** The objects of one collection, as they are now. */
class Collection<T> {
  private readonly objects = new Map<string, T>()
  private readonly url: string
  private readonly schema: z.ZodType<T>
  private readonly onChange: () => void

  constructor(url: string, schema: z.ZodType<T>, onChange: () => void) {
    this.url = url
    this.schema = schema
    this.onChange = onChange
  }

  get all(): readonly T[] {
    return [...this.objects.values()]
  }

  /** Lists, then watches until the connection ends. */
  async follow(): Promise<void> {
    const listed: unknown = await (await fetch(this.url)).json()
    this.objects.clear()
    for (const item of list(listed, 'items')) this.put(item)
    this.onChange()
    const version = String(at(listed, 'metadata', 'resourceVersion'))
    const reply = await fetch(`${this.url}?watch=true&resourceVersion=${version}`)
    let rest = ''
    for await (const chunk of reply.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const lines = (rest + chunk).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) if (!this.take(line)) return
    }
  }

  private put(object: unknown): void {
    const parsed = this.schema.safeParse(object)
    if (parsed.success) this.objects.set(keyOf(object), parsed.data)
  }

  /** False where the watch has to begin anew. */
  private take(line: string): boolean {
    const { type, object } = eventSchema.parse(JSON.parse(line))
    if (type === 'ERROR') return false
    if (type === 'DELETED') this.objects.delete(keyOf(object))
    else this.put(object)
    this.onChange()
    return true
  }
}

/** Runs until the process ends. `api` asks for no credentials (kubectl proxy). */
export const enforcePolicies = async (
  api: string,
  podRange: string,
  say: (line: string) => void,
): Promise<void> => {
  let wake: () => void = () => undefined
  let isDirty = true
  const onChange = (): void => {
    isDirty = true
    wake()
  }
  const pods = new Collection(`${api}/api/v1/pods`, podSchema, onChange)
  const namespaces = new Collection(`${api}/api/v1/namespaces`, namespaceSchema, onChange)
  const policies = new Collection(
    `${api}/apis/networking.k8s.io/v1/networkpolicies`,
    policySchema,
    onChange,
  )
  const keep = async (collection: { follow(): Promise<void> }): Promise<never> => {
    for (;;) {
      await collection.follow().catch((error: unknown) => say(`watch ended: ${String(error)}`))
      await pause(RESTART_MS)
    }
  }
  const write = async (): Promise<never> => {
    let last = ''
    for (;;) {
      if (!isDirty) await new Promise<void>((resolve) => (wake = resolve))
      await pause(SETTLE_MS)
      isDirty = false
      const table = nftables({
        pods: pods.all,
        namespaces: namespaces.all,
        policies: policies.all,
        podRange,
      })
      if (table === last) continue
      await run(['nft', '-f', '-'], { input: table }).then(
        () => (last = table),
        (error: unknown) => say(`nft refused the table: ${String(error)}`),
      )
    }
  }
  await Promise.race([keep(pods), keep(namespaces), keep(policies), write()])
}
