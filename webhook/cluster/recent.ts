// The configurations that were in force a moment ago, each with its image index: a pod that was rendered by one is
// validated by the next. Pure.

import type { ClusterConfig } from './config.ts'

interface Past {
  readonly config: ClusterConfig
  /** When another took its place. */
  readonly until: number
}

// Another replica may render by it until its kubelet has brought the changed ConfigMap too, which takes a minute or two.
const KEPT_MS = 180_000
const MAX_KEPT = 3

export class RecentConfigs {
  private past: readonly Past[] = []
  private inForce: ClusterConfig
  private readonly now: () => number

  /** `now`: milliseconds of a steady clock. */
  constructor(first: ClusterConfig, now: () => number) {
    this.inForce = first
    this.now = now
  }

  /** Another is in force. */
  taken(config: ClusterConfig): void {
    this.past = [{ config: this.inForce, until: this.now() }, ...this.past].slice(0, MAX_KEPT)
    this.inForce = config
  }

  /** Those that may still explain a pod, the latest first. */
  all(): readonly ClusterConfig[] {
    const now = this.now()
    return this.past.filter(({ until }) => now - until < KEPT_MS).map(({ config }) => config)
  }
}
