// The way in to a registry: the answer to its challenge as an Authorization header. A credential
// goes to the registry that it is filed under, or to a realm that is listed for that registry, and
// nowhere else; the scope is one that we ask for, to read one repository.

import { z } from 'zod'
import type { Challenge } from './challenge.ts'
import type { Credential } from './docker-config.ts'
import { readBody, shownUrl, type Http, type Request } from './http.ts'
import { ImageError } from './image-error.ts'
import type { Keeper } from './keeper.ts'
import { allowedRealm, type Access } from './registries.ts'

const MAX_TOKEN_BYTES = 256 * 1024
const MAX_REALM_SHOWN = 200

export interface AuthorizeOptions {
  readonly access: Access
  readonly http: Http
  /** The registry's credential; asked for only when the registry wants one. */
  readonly credential: () => Promise<Credential | undefined>
  /** As the registry names it. */
  readonly repository: string
  readonly keeper: Keeper
}

const basic = (username: string, password: string): string =>
  `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

const tokenSchema = z.object({ token: z.string().optional(), access_token: z.string().optional() })

const tokenRequest = (
  realm: URL,
  fields: Readonly<Record<string, string>>,
  credential: Credential | undefined,
): Request => {
  if (credential?.kind === 'identity') {
    const form = {
      grant_type: 'refresh_token',
      client_id: 'outrigger',
      refresh_token: credential.token,
      ...fields,
    }
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    return { url: realm, method: 'POST', headers, body: new URLSearchParams(form).toString() }
  }
  const url = new URL(realm)
  for (const [name, value] of Object.entries(fields)) url.searchParams.set(name, value)
  return credential
    ? { url, headers: { authorization: basic(credential.username, credential.password) } }
    : { url }
}

const parseToken = (text: string): string | undefined => {
  try {
    const { data } = tokenSchema.safeParse(JSON.parse(text))
    const token = data?.token ?? data?.access_token
    // A header's characters only.
    return token !== undefined && /^[!-~]{1,65536}$/.test(token) ? token : undefined
  } catch {
    return undefined
  }
}

const fetchToken = async (
  { http, keeper, access }: Pick<AuthorizeOptions, 'http' | 'keeper' | 'access'>,
  request: Request,
): Promise<string> => {
  const answer = await http.send(request)
  const where = shownUrl(request.url)
  if (answer.statusCode !== 200) {
    answer.destroy()
    throw new ImageError(
      `${where} gives out no token (status ${answer.statusCode}); is the credential in ${keeper.name} right, if there is one? ${keeper.help(access.host)} gives another`,
    )
  }
  const token = parseToken((await readBody(answer, MAX_TOKEN_BYTES)).toString('utf8'))
  if (token === undefined) throw new ImageError(`${where} answers with no token`)
  return token
}

const bearer = async (
  challenge: Extract<Challenge, { scheme: 'bearer' }>,
  options: AuthorizeOptions,
): Promise<string> => {
  const { access, credential, repository } = options
  const realm = allowedRealm(challenge.realm, access)
  if (!realm) {
    const shown = JSON.stringify(challenge.realm.slice(0, MAX_REALM_SHOWN))
    throw new ImageError(
      `the registry ${access.host} sends us to ${shown} for a token, which is no realm that the cluster configuration lists for it; nothing was sent there. If it is right: registries: { '${access.host}': { realms: [URL] } }`,
    )
  }
  const fields = {
    ...(challenge.service === undefined ? {} : { service: challenge.service }),
    scope: `repository:${repository}:pull`,
  }
  return `Bearer ${await fetchToken(options, tokenRequest(realm, fields, await credential()))}`
}

/** The header that answers a challenge. */
export const authorize = async (
  challenge: Challenge | undefined,
  options: AuthorizeOptions,
): Promise<string> => {
  const { keeper, access } = options
  const { host } = access
  if (challenge?.scheme === 'bearer') return bearer(challenge, options)
  if (!challenge) throw new ImageError(`the registry ${host} refuses us in a way that is unknown`)
  const credential = await options.credential()
  if (!credential) {
    throw new ImageError(
      `the registry ${host} wants a credential, and ${keeper.name} has none for it: ${keeper.help(host)}`,
    )
  }
  if (credential.kind === 'identity') {
    throw new ImageError(
      `the registry ${host} wants a password, and ${keeper.name} has an identity token for it`,
    )
  }
  return basic(credential.username, credential.password)
}
