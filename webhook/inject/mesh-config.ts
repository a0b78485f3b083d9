// By what a pod's author tells Istio's proxy which program to start: the agent in it takes `binaryPath` from its
// variable, from a file and from the pod's annotation, whoever has written them. Pure.

export const PROXY_CONFIG = 'PROXY_CONFIG'

/** Of YAML and JSON: what makes a letter of something else (`\u0062`, a continued line), or text of a tag; and what the kubelet expands. */
const HIDES = /\\[xuU\r\n]|(?:^|[\s,{[:?-])!|\$\(/
const PROGRAM = /binary_?path/i

/** Whether a text may name another program to its reader, which is not ours; one that is not there is no text. */
export const bendsProxy = (text: string | undefined): boolean =>
  text === undefined || PROGRAM.test(text) || HIDES.test(text.replaceAll('\\\\', ''))
