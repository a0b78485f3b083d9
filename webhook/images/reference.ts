// Image references as Docker and the kubelet read them: `node`, `team/app:1`,
// `registry.example:5000/app@sha256:…`. Pure.

import type { ImageIndex, Platforms } from '../../shared/image-index.ts'
import { fail, ok, type Result } from '../../shared/result.ts'

export interface Reference {
  /** `docker.io`, `registry.example:5000` */
  readonly host: string
  /** `library/node` */
  readonly repository: string
  /** Undefined where a digest stands in its place. */
  readonly tag: string | undefined
  readonly digest: string | undefined
}

const DOCKER_HUB = 'docker.io'
const DOMAIN_PART = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const HOST = new RegExp(
  `^(?:${DOMAIN_PART}(?:\\.${DOMAIN_PART}){0,20}|\\[[0-9a-fA-F:.]{2,45}\\])(?::\\d{1,5})?$`,
)
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^\w[\w.-]{0,127}$/
const SHA256 = /^sha256:[0-9a-f]{64}$/
const MAX_NAME_LENGTH = 255
// A host, a name, a tag and a digest, all of them at their longest.
const MAX_LENGTH = 1024

const splitOnce = (text: string, at: number): readonly [string, string | undefined] =>
  at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)]

/** Whether the part before the first slash is a host: nothing else has these characters. */
const isHost = (part: string): boolean => /[.:A-Z[]/.test(part) || part === 'localhost'

const splitHost = (name: string): readonly [host: string, repository: string] => {
  const [first, rest] = splitOnce(name, name.indexOf('/'))
  if (rest === undefined || !isHost(first)) return [DOCKER_HUB, name]
  return [first === 'index.docker.io' ? DOCKER_HUB : first, rest]
}

const isRepository = (text: string): boolean =>
  text.length <= MAX_NAME_LENGTH && text.split('/').every((part) => COMPONENT.test(part))

const fault = ({ host, repository, tag, digest }: Reference): string | undefined => {
  if (!HOST.test(host)) return `its host ${JSON.stringify(host)} is none`
  if (!isRepository(repository)) return 'its name is not one of lower-case words between slashes'
  if (tag !== undefined && !TAG.test(tag)) return 'its tag is none'
  return digest === undefined || SHA256.test(digest)
    ? undefined
    : 'its digest is not sha256: and 64 hexadecimal digits'
}

/** Reads a reference; `latest` stands in where it has neither tag nor digest. */
export const parseReference = (text: string): Result<Reference, string> => {
  const shown = JSON.stringify(text.slice(0, 200))
  if (text.length > MAX_LENGTH) return fail(`${shown} is not an image: it is too long`)
  const [rest, digest] = splitOnce(text, text.indexOf('@'))
  const colon = rest.lastIndexOf(':')
  const [name, tag] = splitOnce(rest, colon > rest.lastIndexOf('/') ? colon : -1)
  const [host, path] = splitHost(name)
  const repository = host === DOCKER_HUB && !path.includes('/') ? `library/${path}` : path
  const implied = tag ?? (digest === undefined ? 'latest' : undefined)
  const reference = { host, repository, tag: implied, digest }
  const problem = fault(reference)
  return problem === undefined ? ok(reference) : fail(`${shown} is not an image: ${problem}`)
}

/** The tag's key in the image index, `docker.io/library/node:24`; undefined where a digest decides. */
export const tagKey = ({ host, repository, tag, digest }: Reference): string | undefined =>
  digest !== undefined || tag === undefined ? undefined : `${host}/${repository}:${tag}`

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

/** What the image index says of a reference. */
export interface Recorded {
  /** Its own, or that of its tag; undefined: nobody has recorded the tag. */
  readonly digest: string | undefined
  /** Undefined: nobody has recorded the image. */
  readonly platforms: Platforms | undefined
}

export const recordedOf = (reference: Reference, { tags, images }: ImageIndex): Recorded => {
  const key = tagKey(reference)
  const digest = reference.digest ?? (key === undefined ? undefined : own(tags, key))
  return { digest, platforms: digest === undefined ? undefined : own(images, digest) }
}

/** Whether an image is that of a tag, with the digest that another webhook has found for it. */
export const isResolved = (stored: string, tagged: string): boolean => {
  const [is, was] = [parseReference(stored), parseReference(tagged)]
  if (!is.ok || !was.ok || is.value.digest === undefined || was.value.digest !== undefined)
    return false
  const { host, repository, tag } = is.value
  return (
    host === was.value.host &&
    repository === was.value.repository &&
    (tag === undefined || tag === was.value.tag)
  )
}
