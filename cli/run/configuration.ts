// What `outrigger run` serves with: a file, and flags above it. Whatever is wrong with it is told at once, and what is
// set in vain is a warning.

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { annotation, KEYS, type Key } from '../../shared/annotations.ts'
import { areAuthorities } from '../../shared/authorities.ts'
import { NO_IDENTITY, NO_ISSUERS } from '../../shared/identity.ts'
import { isObject, type JsonObject } from '../../shared/json.ts'
import { placedWords } from '../../shared/placed-fault.ts'
import { fail, ok, type Result } from '../../shared/result.ts'
import { parseSidecarConfig, speaksHttp, type SidecarConfig } from '../../shared/sidecar-config.ts'
import { readPlaced } from '../../shared/yaml-places.ts'
import { fileWords } from '../output/system-words.ts'
import { DEFAULTS_HERE, type RunFlags } from './run-flags.ts'
import { trustDomainsIn, type BundleTexts } from './spiffe-flags.ts'

const EGRESS_KEYS = ['egress', 'egress-mode'] as const satisfies readonly Key[]

export interface RunConfiguration {
  readonly config: SidecarConfig
  /** Sentences about settings that change nothing. */
  readonly warnings: readonly string[]
}

const fileDocument = (path: string | undefined): Result<JsonObject, readonly string[]> => {
  if (path === undefined) return ok({})
  const at = `--config ${path}: `
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return fail([`${at}${fileWords(error)}`])
  }
  const read = readPlaced(text)
  if (!read.ok) return fail(read.error.map((fault) => `${at}${placedWords(fault)}`))
  const value = read.value.value ?? {}
  if (!isObject(value)) {
    return fail([`${at}must be a mapping, such as \`settings: { log-level: info }\``])
  }
  return 'sidecar' in value || 'floor' in value
    ? fail([
        `${at}it is a cluster configuration, which inject, explain and dev take; run takes a sidecar's: settings, issuers, tls, audit`,
      ])
    : ok(value)
}

/** The flags about issuers that are there, each with the member of an issuer that it stands for. */
const issuerFlags = ({
  oidcCa,
  oidcDpop,
  oidcCertificateBound,
  introspection,
}: RunFlags): readonly (readonly [flag: string, member: string])[] => [
  ...(oidcCa === undefined ? [] : [['--oidc-ca', 'ca'] as const]),
  ...(oidcDpop === undefined ? [] : [['--oidc-dpop', 'dpop'] as const]),
  ...(introspection === undefined ? [] : [['--introspection-url', 'introspectionUrl'] as const]),
  ...(oidcCertificateBound ? [['--oidc-certificate-bound', 'certificateBound'] as const] : []),
]

/** Flags about issuers that are not named by a flag, or that nothing could act on, which would be dropped in silence. */
const strayFlags = (document: JsonObject, flags: RunFlags): string | undefined => {
  const given = issuerFlags(flags)
  if (given.length === 0) return undefined
  const names = given.map(([flag]) => flag).join(', ')
  if (document['issuers'] !== undefined) {
    const members = given.map(([, member]) => member).join(' and ')
    return `${names}: --config ${flags.config} has issuers: put ${members} there`
  }
  if (flags.settings['oidc-issuers'] === undefined) {
    return `${names}: of no use without --oidc-issuers URL`
  }
  return flags.oidcCertificateBound && (flags.tls ?? document['tls']) === undefined
    ? '--oidc-certificate-bound: what a client shows is seen over TLS alone: give --tls-cert and --tls-key'
    : undefined
}

const ANY = (): boolean => true

/** What a flag's file holds; what is wrong with it is told by the flag. */
const textOf = (
  flag: string,
  path: string | undefined,
  isRight: (text: string) => boolean,
): Result<string | undefined, string> => {
  if (path === undefined) return ok(undefined)
  try {
    const text = readFileSync(path, 'utf8')
    return isRight(text)
      ? ok(text)
      : fail(`${flag} ${path}: must hold certificates of authorities in PEM, and nothing else`)
  } catch (error) {
    return fail(`${flag} ${path}: ${fileWords(error)}`)
  }
}

/** Of whom certificates are believed, in the place of the usual ones: in PEM. */
interface Authorities {
  /** For issuers. */
  readonly oidc: string | undefined
  /** For the endpoint of a trust domain's bundle, with its first one. */
  readonly bundle: BundleTexts
}

const authoritiesIn = ({ oidcCa, spiffe }: RunFlags): Result<Authorities, readonly string[]> => {
  const from = spiffe && 'url' in spiffe.bundle ? spiffe.bundle : undefined
  const oidc = textOf('--oidc-ca', oidcCa, areAuthorities)
  const ca = textOf('--spiffe-bundle-ca', from?.ca, areAuthorities)
  const first = textOf('--spiffe-bundle', from?.endpoint?.first, ANY)
  return oidc.ok && ca.ok && first.ok
    ? ok({ oidc: oidc.value, bundle: { ca: ca.value, first: first.value } })
    : fail([oidc, ca, first].flatMap((one) => (one.ok ? [] : [one.error])))
}

/** The file's settings under the flags'; what is no mapping stays as it is, to be refused by the schema. */
const settingsOver = (own: unknown, { settings, allowAnonymous }: RunFlags): unknown =>
  isObject(own)
    ? { ...DEFAULTS_HERE, ...own, ...settings, auth: allowAnonymous ? 'none' : 'oidc' }
    : own

/** The file's names and the flags'; what is no list stays as it is, to be refused by the schema. */
const withHosts = (own: unknown, { allowedHosts }: RunFlags): unknown =>
  own === undefined || Array.isArray(own) ? [...(own ?? []), ...allowedHosts] : own

const listIn = (text: unknown): readonly string[] =>
  typeof text === 'string' ? text.split(',').map((item) => item.trim()) : []

const audiencesIn = (settings: unknown): readonly string[] =>
  isObject(settings) ? listIn(settings['oidc-audience']) : []

/** Who runs it names whom to trust; what they name may be on this machine or network. */
const issuersIn = (
  settings: unknown,
  { introspection, oidcDpop, oidcCertificateBound }: RunFlags,
  ca: string | undefined,
): { readonly issuers?: unknown } => {
  if (!isObject(settings)) return {}
  const audiences = audiencesIn(settings)
  const of = audiences.length === 0 ? {} : { audiences }
  const named = listIn(settings['oidc-issuers']).filter((url) => url !== NO_ISSUERS)
  const issuers = named.map((url) => {
    const urls = [url, ...(introspection ? [introspection.url] : [])]
    const names = new Set(urls.flatMap((one) => URL.parse(one)?.host ?? []))
    const hosts = [...names].map((host) => ({ host, reach: 'loopback' }))
    const asked = introspection ? { introspectionUrl: introspection.url } : {}
    const dpop = oidcDpop === undefined ? {} : { dpop: oidcDpop }
    const bound = oidcCertificateBound ? { certificateBound: true } : {}
    const authorities = ca === undefined ? {} : { ca }
    return Object.assign({ url, hosts }, of, asked, dpop, bound, authorities)
  })
  return issuers.length === 0 ? {} : { issuers }
}

/** The settings on which nothing acts here. */
const setInVain = (own: unknown, { config, settings }: RunFlags): readonly string[] =>
  KEYS.flatMap((key) => {
    const { readBy } = annotation(key)
    const isFlag = settings[key] !== undefined
    if (!isFlag && !(isObject(own) && own[key] !== undefined)) return []
    const where = isFlag ? `--${key}` : `--config ${config}: settings: ${key}`
    return readBy === 'webhook' ? [`${where}: nothing acts on it here, only in a cluster`] : []
  })

/** The file's member with the flag above it; what is no mapping stays as it is, to be refused by the schema. */
const auditIn = (
  own: unknown,
  { auditFile, auditSink }: RunFlags,
): { readonly audit?: unknown } => {
  if (own !== undefined && !isObject(own)) return {}
  if (auditFile !== undefined) return { audit: { ...own, file: resolve(auditFile) } }
  if (auditSink === undefined) return {}
  const { file: _file, otlp = {}, ...rest } = own ?? {}
  return { audit: { ...rest, ...(auditSink === 'otlp' ? { otlp } : {}) } }
}

/** Servers are confined where flags or file say anything of what they may reach; the proxy takes any port that is free. */
const egressIn = (own: unknown, settings: unknown): { readonly egress?: unknown } => {
  if (own !== undefined) return { egress: isObject(own) ? { port: 0, ...own } : own }
  const isAsked = isObject(settings) && EGRESS_KEYS.some((key) => settings[key] !== undefined)
  return isAsked ? { egress: { port: 0 } } : {}
}

/** Who lists what a server may reach, and does not say that it is to be held to that. */
const modeNotChosen = (texts: unknown): readonly string[] =>
  isObject(texts) && texts['egress'] !== undefined && texts['egress-mode'] === undefined
    ? [
        'what the server reaches is observed, and not held to --egress: nobody has chosen; give --egress-mode enforce, or observe',
      ]
    : []

/** The file's document with the flags above it. */
const documentOf = (
  document: JsonObject,
  texts: unknown,
  flags: RunFlags,
  authorities: Authorities,
): unknown => ({
  host: '127.0.0.1',
  adminPort: 0,
  isolation: 'advisory',
  ...document,
  ...(flags.host === undefined ? {} : { host: flags.host }),
  allowedHosts: withHosts(document['allowedHosts'], flags),
  ...(flags.port === undefined ? {} : { port: flags.port }),
  ...(flags.adminPort === undefined ? {} : { adminPort: flags.adminPort }),
  ...(flags.toolPolicy === undefined ? {} : { toolPolicy: resolve(flags.toolPolicy) }),
  ...(flags.toolLock === undefined ? {} : { toolLock: resolve(flags.toolLock) }),
  ...auditIn(document['audit'], flags),
  ...egressIn(document['egress'], texts),
  ...(flags.introspection ? { introspectionDir: resolve(flags.introspection.dir) } : {}),
  ...(document['issuers'] === undefined && !flags.allowAnonymous
    ? issuersIn(texts, flags, authorities.oidc)
    : {}),
  ...trustDomainsIn(flags.spiffe, audiencesIn(texts), authorities.bundle),
  ...(flags.tls === undefined
    ? {}
    : { tls: { certFile: resolve(flags.tls.certFile), keyFile: resolve(flags.tls.keyFile) } }),
  settings: texts,
})

/** What is wrong with an issuer or a setting that a flag names, by that flag. */
const byFlag = (error: string, flags: RunFlags, document: JsonObject): string | undefined => {
  const [, index = '', why = ''] = /^issuers\.(\d+)\.url: (.*)$/s.exec(error) ?? []
  const named = document['issuers'] === undefined ? listIn(flags.settings['oidc-issuers']) : []
  const url = index === '' ? undefined : named[Number(index)]
  if (url !== undefined) return `--oidc-issuers ${JSON.stringify(url)}: ${why}`
  const key = KEYS.find((one) => error.startsWith(`settings: ${one}: auth: none`))
  return key === undefined || flags.settings[key] === undefined
    ? undefined
    : `--${key}: --allow-anonymous lets everybody call, whatever stands here; leave one of them out`
}

/** What is wrong, with where it was said: in the file, or of a name by its flag. */
const placed = (error: string, where: string, flags: RunFlags, document: JsonObject): string => {
  const own = document['allowedHosts']
  const [, index, why] = /^allowedHosts\.(\d+): (.*)$/s.exec(error) ?? []
  const name = flags.allowedHosts[Number(index) - (Array.isArray(own) ? own.length : 0)]
  if (flags.spiffe && error.startsWith('trustDomains')) return `--spiffe-ids: ${error}`
  return name === undefined
    ? (byFlag(error, flags, document) ?? `${where}${error}`)
    : `--allowed-host ${JSON.stringify(name)}: ${String(why)}`
}

/** Why nobody can be served so; undefined where it can be. */
const refusal = (
  { port, adminPort, settings, issuers, trustDomains }: SidecarConfig,
  where: string,
): string | undefined => {
  if (port === adminPort && port !== 0) {
    return `both ports are ${port}: give --port (MCP) and --admin-port (health and metrics) different ones, or 0 for any`
  }
  if (settings.auth !== 'none' && issuers.length === 0 && trustDomains.length === 0) {
    return `${NO_IDENTITY}: --oidc-issuers URL names one; --allow-anonymous serves anybody who can reach the port`
  }
  const isBelieved = issuers.some(({ verifiedClaims = [] }) => verifiedClaims.length > 0)
  if (settings['caller-environment'] !== undefined && !isBelieved) {
    return 'caller-environment: every caller would be refused, since no issuer is believed in any claim: give a --config FILE with issuers: [{ url, verifiedClaims }]'
  }
  return speaksHttp(settings)
    ? `${where}settings.transport: a command is served over stdio; leave it out`
    : undefined
}

/** File, then flags; the log is quiet by default, since a person reads it. */
export const readConfiguration = (flags: RunFlags): Result<RunConfiguration, readonly string[]> => {
  const file = fileDocument(flags.config)
  if (!file.ok) return file
  const stray = strayFlags(file.value, flags)
  if (stray !== undefined) return fail([stray])
  const authorities = authoritiesIn(flags)
  if (!authorities.ok) return authorities
  const { settings, ...document } = file.value
  const texts = settingsOver(settings ?? {}, flags)
  const config = parseSidecarConfig(documentOf(document, texts, flags, authorities.value))
  const where = flags.config === undefined ? '' : `--config ${flags.config}: `
  if (!config.ok) {
    return fail(config.error.map((error) => placed(error, where, flags, document)))
  }
  const why = refusal(config.value, where)
  return why === undefined
    ? ok({
        config: config.value,
        warnings: [...setInVain(settings, flags), ...modeNotChosen(texts)],
      })
    : fail([why])
}
