// By what a pod's author tells Istio's proxy which program to start: the agent in it takes `binaryPath` from its
// variable and from the pod's annotation, whoever has written them. Pure.

import { stringAt, type JsonObject } from '../../shared/json.ts'
import type { Floor } from '../settings/floor.ts'
import { violation, type Violation } from '../settings/violation.ts'

export const PROXY_CONFIG = 'PROXY_CONFIG'
const ANNOTATION = 'proxy.istio.io/config'

/** Of YAML and JSON: what makes a letter of something else (`\u0062`, a continued line), or text of a tag. */
const HIDES = /\\[xuU\r\n]|(?:^|[\s,{[:?-])!/
const PROGRAM = /binary_?path/i

/** Whether a text may name another program to its reader, which is not ours; one that is not there is no text. */
export const bendsProxy = (text: string | undefined): boolean =>
  text === undefined || PROGRAM.test(text) || HIDES.test(text.replaceAll('\\\\', ''))

/** Where the floor exempts the proxy, nobody says to it what to run. */
export const meshViolations = (pod: JsonObject, floor: Floor): readonly Violation[] => {
  const text = stringAt(pod, 'metadata', 'annotations', ANNOTATION)
  const isExempted = floor.exemptContainers.some(({ name }) => name === 'istio-proxy')
  return text === undefined || !isExempted || !bendsProxy(text)
    ? []
    : [
        violation(
          'weaker-security',
          `pod: annotation ${ANNOTATION} names a binaryPath, which Istio's proxy would run in its own place, or holds escapes or tags; write it without`,
        ),
      ]
}
