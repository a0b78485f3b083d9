// What validation says of a write that it lets pass. Codes are stable (metric label, audit annotation, test row).

export interface Allow {
  readonly kind: 'allow'
  readonly reason:
    | 'complies'
    /** Neither the spec nor annotations nor labels differ. */
    | 'unchanged'
    | 'being-deleted'
    /** There is no server of ours in it. */
    | 'not-injected'
    | 'system-namespace'
    /** A group of the floor's may do it whatever the rules say. */
    | 'break-glass'
  readonly warnings: readonly string[]
}

export const allowed = (reason: Allow['reason'], warnings: readonly string[] = []): Allow => ({
  kind: 'allow',
  reason,
  warnings,
})
