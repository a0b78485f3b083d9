// Heads of CONNECTs as they were read once: a server's processes ask for the same few hosts in the same words again and again, and
// to read one anew takes more than all else that is ours of a connection. What it says is kept, and nothing of what came of it:
// whose the credential is and whether the target may be reached is asked each time. Bounded; the first that came goes first.

import type { Cluster } from '../../../shared/host-name.ts'
import type { Result } from '../../../shared/result.ts'
import type { Target } from '../reach/judge.ts'
import { connectHeadIn, HEAD_END, readConnectHead } from './connect-head.ts'
import { credentialOf, hasCredential, readConnect, type RawHeaders } from './request-target.ts'
import type { Credential } from './watch.ts'

/** Each of 2 KiB at most. */
const MOST = 64

/** What a request names itself by. */
export interface Named {
  /** Whether it says anything of it. */
  readonly isNamed: boolean
  /** Undefined where that cannot be read, too. */
  readonly credential: Credential | undefined
}

export interface KnownHead extends Named {
  readonly url: string
  readonly target: Result<Target, string>
}

export const namedIn = (rawHeaders: RawHeaders): Named => ({
  isNamed: hasCredential(rawHeaders),
  credential: credentialOf(rawHeaders),
})

export interface ReadHead {
  readonly head: KnownHead
  /** What has come behind it. */
  readonly early: Buffer
}

export class KnownHeads {
  private readonly cluster: Cluster | undefined
  private readonly heads = new Map<string, KnownHead>()

  constructor(cluster: Cluster | undefined) {
    this.cluster = cluster
  }

  /** Undefined where it is for another reader. */
  read(bytes: Buffer): ReadHead | undefined {
    const text = connectHeadIn(bytes)
    if (text === undefined) return undefined
    const head = this.heads.get(text) ?? this.learn(text)
    return head && { head, early: bytes.subarray(text.length + HEAD_END.length) }
  }

  private learn(text: string): KnownHead | undefined {
    const read = readConnectHead(text)
    if (!read) return undefined
    const { url, rawHeaders } = read
    const head = { url, ...namedIn(rawHeaders), target: readConnect(url, rawHeaders, this.cluster) }
    const [first] = this.heads.keys()
    if (first !== undefined && this.heads.size >= MOST) this.heads.delete(first)
    this.heads.set(text, head)
    return head
  }
}
