// Ways out by way of somebody else in the pod, or of the sidecar itself. What nothing confines, beside the server in its own
// container, can go them.

import { SERVER_ADDRESSES } from '../../support/egress/addresses.ts'
import type { Language, Row } from '../../support/egress/row.ts'

const beside = (language: Language, name: string, ...words: readonly string[]): Row => ({
  name,
  language,
  words,
  proof: { stage: 'beside', seen: 'worked' },
})

export const POD_ROWS: readonly Row[] = [
  beside('c', 'the sidecar’s port', 'tcp', '127.0.0.1', '15200'),
  beside('c', 'the sidecar’s port over IPv6', 'tcp', '::1', '15200'),
  beside('c', 'the sidecar’s port at the pod’s address', 'tcp', SERVER_ADDRESSES[0], '15200'),
  beside('c', 'the sidecar’s admin port', 'tcp', '127.0.0.1', '15201'),
  beside('c', 'the control socket', 'unix-socket', '{control}', '0'),
  beside('python', 'another child’s forward', 'others-ports'),
  beside('python', 'another child’s credentials', 'others-credentials'),
]
