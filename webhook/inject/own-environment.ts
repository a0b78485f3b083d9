// Whether a container that the floor exempts is told by its variables what its injector tells it, and nothing else. Pure.

import { at, objectsAt, stringAt, type JsonObject } from '../../shared/json.ts'
import type { Exemption } from '../settings/exemption.ts'
import { meshForm } from './mesh.ts'
import { PROXY_CONFIG, whyBends } from './mesh-config.ts'
import type { IsWritten } from './mesh-variables.ts'
import { nameOf } from './pod.ts'

/** Another program, or another library in the image's own, comes in by these; no entry lists them. */
const LOADER_VARIABLE =
  /^(?:PATH|LD_.*|XTABLES_.*|IPTABLES_.*|GCONV_PATH|BASH_ENV|ENV|(?:OPENSSL|NODE|PYTHON|PERL5?|RUBY)_?(?:LIB|OPT|PATH|CONF|ENGINES|MODULES|STARTUP|HOME).*)$/s

/** What the webhooks of clouds give every container. */
const CLOUD_VARIABLE = /^(?:AWS|AZURE|GOOGLE|CLOUDSDK)_[A-Z0-9_]+$/

const ANY = '*'

/** Whether a variable is let pass: by the entry, by what its injector is known to write, or as a cloud's. */
export const writtenBy = ({ name: container, variables = {} }: Exemption): IsWritten => {
  const listed = new Map(Object.entries(variables))
  const isWritten = meshForm(container)?.isWritten
  return (name, value) => {
    if (LOADER_VARIABLE.test(name)) return false
    const word = listed.get(name)
    if (word !== undefined) return word === ANY || word === value
    return CLOUD_VARIABLE.test(name) || isWritten?.(name, value) === true
  }
}

/** Of two members of one name readers may take either. */
const TWICE = /"(discoveryAddress|proxyMetadata)".*"\1"/s

const parsedJson = (text: string): unknown => {
  if (TWICE.test(text)) return undefined
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const foreignVariable = (
  variable: JsonObject,
  { name: container, variables = {} }: Exemption,
  isWritten: IsWritten,
): string | undefined => {
  const [name, value] = [nameOf(variable), stringAt(variable, 'value')]
  if (LOADER_VARIABLE.test(name)) return `env sets ${name.slice(0, 64)}, by which programs come in`
  const isListed = Object.hasOwn(variables, PROXY_CONFIG)
  if (name === PROXY_CONFIG && meshForm(container) && !isListed) {
    // Istio writes JSON.
    const why = whyBends(value, { read: parsedJson, isWritten })
    return why && `env ${PROXY_CONFIG} ${why}`
  }
  return isWritten(name, value)
    ? undefined
    : `env ${name.slice(0, 64)}, or its value, is not among its entry's variables`
}

export const foreignEnvironment = (container: JsonObject, entry: Exemption): string | undefined => {
  const isWritten = writtenBy(entry)
  const configured = objectsAt(container, 'env').filter((one) => nameOf(one) === PROXY_CONFIG)
  // Each would be read, and of two readers may take either.
  if (configured.length > 1) return `env sets ${PROXY_CONFIG} twice`
  for (const variable of objectsAt(container, 'env')) {
    const why = foreignVariable(variable, entry, isWritten)
    if (why !== undefined) return why
  }
  return at(container, 'envFrom') === undefined ? undefined : 'it has envFrom'
}
