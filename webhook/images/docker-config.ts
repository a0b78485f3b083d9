// The docker configuration (`config.json`): whose credential is whose. Which helper to ask, or what
// stands in the file itself. Nothing is merged: a credential is for the registry that it is filed
// under and for no other. Pure; messages never hold a value.

import { z } from 'zod'
import { fail, ok, type Result } from '../../shared/result.ts'

export type Credential =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  /** An OAuth2 refresh token, to be exchanged at the realm. */
  | { readonly kind: 'identity'; readonly token: string }

/** Where the credential of one registry is. */
export type CredentialSource =
  | { readonly from: 'helper'; readonly helper: string; readonly server: string }
  | { readonly from: 'file'; readonly credential: Credential }
  | { readonly from: 'nowhere' }

const entrySchema = z.object({
  auth: z.string().optional(),
  username: z.string().optional(),
  password: z.string().optional(),
  identitytoken: z.string().optional(),
})
// A helper is a program on PATH, `docker-credential-NAME`: no word that could be a path.
const helperSchema = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/, 'not the name of a helper')

const schema = z.object({
  auths: z.record(z.string(), entrySchema).default({}),
  credHelpers: z.record(z.string(), helperSchema).default({}),
  credsStore: helperSchema.or(z.literal('')).optional(),
})
export type DockerConfig = z.output<typeof schema>

export const NO_DOCKER_CONFIG: DockerConfig = { auths: {}, credHelpers: {} }

/** Reads the file's text. */
export const readDockerConfig = (text: string): Result<DockerConfig, string> => {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, and that may be a password.
    return fail('it is not JSON')
  }
  const parsed = schema.safeParse(document)
  if (parsed.success) return ok(parsed.data)
  const [issue] = parsed.error.issues
  const [section = 'document'] = issue?.path ?? []
  return fail(`${String(section)}: ${issue?.message ?? 'not of the form that docker writes'}`)
}

const DOCKER_HUB = 'docker.io'
/** What docker files Docker Hub's credential under. */
const DOCKER_HUB_SERVER = 'https://index.docker.io/v1/'

/** `https://index.docker.io/v1/` → `docker.io`: the registry that a key of `auths` is for. */
const hostOf = (key: string): string => {
  const host = key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')
  return host === 'index.docker.io' || host === 'registry-1.docker.io' ? DOCKER_HUB : host
}

const find = <T>(record: Readonly<Record<string, T>>, host: string): T | undefined =>
  Object.hasOwn(record, host)
    ? record[host]
    : Object.entries(record).find(([key]) => hostOf(key) === host)?.[1]

const decodeAuth = (auth: string): Credential | undefined => {
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = text.indexOf(':')
  return colon < 1
    ? undefined
    : { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) }
}

const credentialOf = (entry: z.output<typeof entrySchema>): Credential | undefined => {
  const { auth, username, password, identitytoken } = entry
  if (identitytoken) return { kind: 'identity', token: identitytoken }
  if (auth) return decodeAuth(auth)
  return username && password !== undefined ? { kind: 'password', username, password } : undefined
}

/** As docker itself looks: the registry's own helper, else the store for all, else the file. */
export const credentialSource = (config: DockerConfig, host: string): CredentialSource => {
  const helper = find(config.credHelpers, host) ?? config.credsStore
  if (helper) {
    return { from: 'helper', helper, server: host === DOCKER_HUB ? DOCKER_HUB_SERVER : host }
  }
  const entry = find(config.auths, host)
  const credential = entry && credentialOf(entry)
  return credential ? { from: 'file', credential } : { from: 'nowhere' }
}

const answerSchema = z.object({ Username: z.string(), Secret: z.string() })

/** Reads what `docker-credential-NAME get` has printed. */
export const readHelperAnswer = (text: string): Credential | undefined => {
  let document: unknown
  try {
    document = JSON.parse(text)
  } catch {
    return undefined
  }
  const { data } = answerSchema.safeParse(document)
  if (!data) return undefined
  // By this name a helper says that its secret is an identity token.
  return data.Username === '<token>'
    ? { kind: 'identity', token: data.Secret }
    : { kind: 'password', username: data.Username, password: data.Secret }
}
