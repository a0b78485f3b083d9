// Who comes with a credential: each child has a name and a secret of its own, in the URL of its proxy. Bounded by the number of
// children, each of which takes its own away when it has gone.

import { timingSafeEqual } from 'node:crypto'

/** As a connection names itself. */
interface Shown {
  readonly name: string
  readonly secret: string
}

interface Issued<Holder> {
  readonly secret: Buffer
  readonly holder: Holder
}

export class Credentials<Holder> {
  private readonly issued = new Map<string, Issued<Holder>>()

  /** From now on this child is known by the secret; an earlier one of its name is good no more. */
  issue(child: number, secret: string, holder: Holder): void {
    this.issued.set(`${child}`, { secret: Buffer.from(secret), holder })
  }

  revoke(child: number): void {
    this.issued.delete(`${child}`)
  }

  /** Whose it is; undefined where it is nobody's. */
  whose(shown: Shown): Holder | undefined {
    const issued = this.issued.get(shown.name)
    if (!issued) return undefined
    const { secret, holder } = issued
    const said = Buffer.from(shown.secret)
    return said.length === secret.length && timingSafeEqual(said, secret) ? holder : undefined
  }
}
