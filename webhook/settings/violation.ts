// What a pod can be denied for. Codes are stable (metric label, audit annotation, test row); messages may change.

import type { Key } from '../../shared/annotations.ts'
import type { RuleId } from './rule.ts'

/** What a pod can be denied for: code to meaning. The README lists the same. */
export const VIOLATIONS = {
  malformed: 'the pod, or the namespace’s uid range, has not the shape that Kubernetes gives it',
  'bad-value': 'an annotation’s value does not parse',
  'wrong-scope': 'an annotation stands where it may not',
  loosened: 'a lower scope loosens what a higher one fixed',
  floor: 'the cluster configuration forbids the value',
  incomplete: 'a setting that the others need is missing',
  'not-listed':
    'an issuer, an audience, a public URL or a destination is not among those that the cluster configuration lists',
  'no-server': 'it cannot be told which container is the server',
  'no-command': 'the server’s command is in no place where Outrigger looks',
  'no-port': 'it cannot be told on which port a server that speaks HTTP listens',
  'reserved-name': 'a container, volume or label has a name that only Outrigger gives',
  'reserved-path': 'a mount or a command stands at one of Outrigger’s paths',
  'reserved-port': 'a port is one of Outrigger’s',
  unconfined:
    'egress is enforced, or files may be changed only where that is declared, and nothing would keep the server to it',
  'same-uid': 'a container runs as the sidecar’s uid, or in its group',
  rule: 'a rule of the level that holds in its namespace is broken (webhook/rules/README.md)',
  resources: 'the sidecar’s requests exceed its limits, or a message size its memory',
  'too-large':
    'the pod holds more than Outrigger judges, its annotations more than the API server takes, or its settings more than the sidecar can be told',
  internal: 'a fault of Outrigger’s',
} as const
export type ViolationCode = keyof typeof VIOLATIONS

export const isViolationCode = (word: string): word is ViolationCode =>
  Object.hasOwn(VIOLATIONS, word)

export interface Violation {
  readonly code: ViolationCode
  /** What is wrong, where, and what would be right. */
  readonly message: string
  /** The annotation that it is about, where it is about one. */
  readonly key?: Key
  /** The rule that it breaks, where it breaks one. */
  readonly rule?: RuleId
  /** The image that the image index lacks, where knowing it may say what is missing. */
  readonly image?: string
}

export const violation = (code: ViolationCode, message: string, key?: Key): Violation =>
  key === undefined ? { code, message } : { code, message, key }
