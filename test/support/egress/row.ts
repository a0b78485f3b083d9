// One way out that a hostile server tries, and what shows that it is one.

import type { Frame } from './capture.ts'

/** What has to be there for it; of a kernel that lacks it nobody can get out that way. */
export type Need =
  'sctp' | 'mptcp' | 'smc' | 'vsock' | 'udplite' | 'io_uring' | 'int80' | 'x32' | 'curl'

/** Where those listen who wait to be dialled. */
export const LISTENED_PORT = 7000

export type Language = 'c' | 'setuid' | 'python' | 'node'

/** Where a way is shown to be one, and by which words where its own lead nowhere. */
export interface Proof {
  /**
   * `bare`: in a container that nothing confines; `beside`: in the confined server's container, but beside it; `observe`, `enforce`:
   * by the server itself in that mode.
   */
  readonly stage: 'bare' | 'beside' | 'observe' | 'enforce'
  readonly words?: readonly string[]
  /** What the far host must have seen; or `worked`, where the way itself is all that can be seen. */
  readonly seen: Seen | 'worked'
}

export interface Row {
  readonly name: string
  readonly language: Language
  readonly words: readonly string[]
  readonly proof: Proof
  readonly needs?: Need
  /** With CAP_NET_RAW, without which the kernel itself would refuse it. */
  readonly isRaw?: boolean
  /** Somebody outside dials what listens in the pod meanwhile, at this address. */
  readonly dialled?: { readonly host: string }
  /** What the sidecar itself may do for it: nothing unless said. */
  readonly sidecar?: SidecarMay
  /** What must be on record of it. */
  readonly record?: RecordOf
}

export interface SidecarMay {
  /** Names that it may ask the resolver for. */
  readonly asks?: readonly string[]
  /** Addresses that it may dial. */
  readonly dials?: readonly string[]
  /** What it may send there must not hold this; absent: it may send nothing. */
  readonly sendsAllBut?: string
}

/** Some of a record's members. */
export interface RecordOf {
  readonly verdict: 'denied' | 'failed' | 'allowed'
  readonly how?: string
  readonly why?: string
  readonly host?: string
  /** Where it went, or would have gone. */
  readonly address?: string
}

/** Some of a frame's fields; of its text a part. */
export type Seen = Partial<Omit<Frame, 'text'>> & { readonly text?: string }

export const isSeenIn = ({ text, flags, ...rest }: Seen, frame: Frame): boolean =>
  Object.entries(rest).every(([name, value]) =>
    Object.entries(frame).some(([key, one]) => key === name && one === value),
  ) &&
  (text === undefined || frame.text.includes(text)) &&
  (flags === undefined || Array.from(flags).every((flag) => frame.flags?.includes(flag) === true))

export const FIXTURES = new URL('../../fixtures/egress/', import.meta.url).pathname

/** The line that runs it; `folder` has what was compiled. */
export const commandOf = ({ language, words }: Row, folder: string): readonly string[] => {
  if (language === 'python') return ['python3', `${FIXTURES}ways.py`, ...words]
  if (language === 'node') return [process.execPath, `${FIXTURES}ways.ts`, ...words]
  return [`${folder}/${language === 'setuid' ? 'ways-setuid' : 'ways'}`, ...words]
}
