// What the kubelet starts in the server's container, by exec probes and hooks, goes no further than the server: it is run under
// the shim's confinement. A probe of the shim's own asks loopback and nobody else. Pure.

import { SHIM_PATH } from '../../shared/names.ts'
import { at, stringsAt, withAt, type JsonObject } from '../../shared/json.ts'
import { wordsWithoutShim } from './command.ts'
import { HOOKS, nameOf, PROBES, type Place } from './pod.ts'

const PLACES = [...PROBES, ...HOOKS]

/** The shim and its flags before what a probe or a hook runs. */
const CONFINED = [SHIM_PATH, 'exec', '--egress', 'enforce', '--'] as const

/** Whether a command is run so. */
export const isConfined = (words: readonly string[]): boolean =>
  CONFINED.every((word, index) => words[index] === word)

const isOwnProbe = ([program, verb]: readonly string[]): boolean =>
  program === SHIM_PATH && verb === 'probe'

/** The words that somebody has asked for in one place; undefined where there are none that could be run so. */
const wordsIn = (container: JsonObject, place: Place): readonly string[] | undefined => {
  const command = at(container, ...place, 'exec', 'command')
  const words = stringsAt(container, ...place, 'exec', 'command') ?? []
  const own = isOwnProbe(words) ? undefined : wordsWithoutShim(command)
  return own === undefined || own.length === 0 ? undefined : own
}

/** The server's container with each of them confined, where the server is kept to its `egress`; else as an earlier pass found it. */
export const confineHooks = (container: JsonObject, isEnforced: boolean): JsonObject =>
  PLACES.reduce((current, place) => {
    const own = wordsIn(container, place)
    const command = isEnforced ? [...CONFINED, ...(own ?? [])] : own
    return own === undefined ? current : withAt(current, [...place, 'exec', 'command'], command)
  }, container)

export const hookWarnings = (container: JsonObject, isEnforced: boolean): readonly string[] => {
  const places = PLACES.filter((place) => wordsIn(container, place) !== undefined)
  return !isEnforced || places.length === 0
    ? []
    : [
        `container ${nameOf(container)}: ${places.map((place) => place.join('.')).join(', ')}: run under the shim's confinement: from there nothing is reached but what listens on loopback in the same container`,
      ]
}
