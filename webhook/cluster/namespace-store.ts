// Namespaces by name, as a program that follows them knows them. One that is missing is read live.

import type { Namespace } from './namespace.ts'

export class NamespaceStore {
  private readonly byName = new Map<string, Namespace>()
  readonly leftOut = 0

  get(name: string): Namespace | undefined {
    return this.byName.get(name)
  }

  names(): readonly string[] {
    return [...this.byName.keys()]
  }

  put(namespace: Namespace): void {
    this.byName.set(namespace.name, namespace)
  }

  remove({ name }: Namespace): void {
    this.byName.delete(name)
  }
}
