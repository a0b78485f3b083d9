// One way out that a hostile server tries, and what shows that it is one.

import type { Frame } from './capture.ts'

/** What has to be there for it; of a kernel that lacks it nobody can get out that way. */
export type Need =
  'sctp' | 'mptcp' | 'smc' | 'vsock' | 'udplite' | 'io_uring' | 'int80' | 'x32' | 'curl'

/** Where those listen who wait to be dialled. */
export const LISTENED_PORT = 7000

export type Language = 'c' | 'setuid' | 'python' | 'node'

export interface Row {
  readonly name: string
  readonly language: Language
  readonly words: readonly string[]
  /** What the far host must have seen where nothing stops it; or `worked`, where the way itself is all that can be seen. */
  readonly proof: Seen | 'worked'
  readonly needs?: Need
  /** With CAP_NET_RAW, without which the kernel itself would refuse it. */
  readonly isRaw?: boolean
  /** Somebody outside dials this port of the pod meanwhile. */
  readonly dialled?: { readonly host: string }
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
