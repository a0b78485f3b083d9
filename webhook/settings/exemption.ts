// What the floor says of a container that the security rules leave alone: an entry of `exemptContainers`. Pure.

/** Rules that an exempt container may break by its own security context; what else it weakens nobody excuses. */
export const EXCUSES = ['run-as-non-root', 'capabilities', 'read-only-root'] as const
export type Excuse = (typeof EXCUSES)[number]

export interface Exemption {
  readonly name: string
  /** The repository, without tag and digest. */
  readonly image: string
  /** Images of it, by digest, and no other. */
  readonly digests?: readonly string[] | undefined
  /** The digest that each tag stands for; it is written into the pod. One of the two is there. */
  readonly tags?: Readonly<Record<string, string>> | undefined
  // What an injector is known to render holds where one of these is absent; of other names, nothing.
  /** `command`, word for word. */
  readonly command?: readonly string[] | undefined
  /** What `args` may begin with: any of these. */
  readonly args?: readonly (readonly string[])[] | undefined
  /** Which volumes it may mount, and where. */
  readonly volumes?: Readonly<Record<string, string>> | undefined
  /** Variables besides those that its injector is known to write, with their values; `*`: any. */
  readonly variables?: Readonly<Record<string, string>> | undefined
  readonly excuses?: readonly Excuse[] | undefined
  /** Whole commands that its probes and hooks may run, besides those of Istio's and Linkerd's own. */
  readonly execs?: readonly (readonly string[])[] | undefined
}
