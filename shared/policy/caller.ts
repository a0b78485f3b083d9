// Who calls, as a policy may know it: what a verified token says, or nothing. Pure.

import type { CelInput } from './cel.ts'
import type { WhoDocument } from './schema.ts'

export interface Caller {
  readonly issuer: string
  readonly subject: string
  readonly client?: string | undefined
  readonly groups?: readonly string[] | undefined
  readonly scopes: readonly string[]
}

/** `caller` is undefined where nobody was asked; then whatever asks for a claim is about somebody else. */
export type Who = (caller: Caller | undefined, roles: readonly string[]) => boolean

type Check = (caller: Caller, roles: readonly string[]) => boolean

const anyOf = (
  words: readonly string[] | undefined,
  of: (caller: Caller, roles: readonly string[]) => readonly string[],
): readonly Check[] => {
  if (words === undefined) return []
  const wanted = new Set(words)
  return [(caller, roles) => of(caller, roles).some((one) => wanted.has(one))]
}

const pair = ({ issuer, subject }: { readonly issuer: string; readonly subject: string }): string =>
  JSON.stringify([issuer, subject])

/** One word of each list has to fit. */
export const whoOf = (who: WhoDocument | undefined): Who => {
  if (who === undefined) return () => true
  const checks = [
    ...anyOf(who.principals?.map(pair), (caller) => [pair(caller)]),
    ...anyOf(who.issuers, ({ issuer }) => [issuer]),
    ...anyOf(who.clients, ({ client }) => (client === undefined ? [] : [client])),
    ...anyOf(who.groups, ({ groups = [] }) => groups),
    ...anyOf(who.scopes, ({ scopes }) => scopes),
    ...anyOf(who.roles, (_caller, roles) => roles),
  ]
  return (caller, roles) => caller !== undefined && checks.every((check) => check(caller, roles))
}

/** The variable `principal`: what nobody knows is not there, so that a condition about it fails. */
export const principalOf = (
  caller: Caller | undefined,
  roles: readonly string[],
): ReadonlyMap<string, CelInput> =>
  new Map<string, CelInput>([
    ...(caller === undefined
      ? []
      : [
          ['issuer', caller.issuer] as const,
          ['subject', caller.subject] as const,
          ...(caller.client === undefined ? [] : [['client', caller.client] as const]),
        ]),
    ['groups', caller?.groups ?? []],
    ['scopes', caller?.scopes ?? []],
    ['roles', roles],
  ])
