// What a warning is about, for counting: warnings are sentences with names in them, and a report over
// many manifests counts their subjects. A test holds the table to every warning of the golden files. Pure.

const KINDS: readonly (readonly [kind: string, words: RegExp])[] = [
  ['taken for a server that speaks HTTP', /: taken for a server that speaks HTTP/],
  ['the server’s other ports', /: its other ports (?:pass|are reached)/],
  ['the server can be reached beside its sidecar', /nothing holds it on loopback/],
  [
    'a Service leads around the sidecar',
    /around the sidecar|a Service that targets mcp by name reaches the server/,
  ],
  ['a Service is led to the sidecar', /leads to the sidecar's|that Services that target it lead/],
  ['runs as the cluster’s default user', /the cluster's default: name another/],
  ['runs as the user that its image names', /as the image's own files say/],
  ['run-as-user changes nothing', /run-as-user(?::.* changes nothing| names the container)/],
  ['an image is pinned to its digest', /is pinned to the digest (?:in the image index|that floor)/],
  ['the server gets the cluster’s limits', /: gets a limit of/],
  ['the root file system can be written', /securityContext\.readOnlyRootFilesystem: false/],
  [
    'a container beside the server gets a read-only root',
    /: its root file system is made read-only/,
  ],
  ['the ServiceAccount token is taken', /is not mounted; if the server calls|"false": taken$/],
  ['the namespace’s ServiceAccount is kept', /^pod: keeps the ServiceAccount default/],
  ['the ServiceAccount token is kept', /counts as outrigger\.dev\/needs-kube-api/],
  ['taken off, since it speaks stdio', /is taken off with transport stdio/],
  [
    'a bridge is left out',
    /run without the bridge|nothing else that the bridge had there|of the bridge is not served/,
  ],
  [
    'the server’s port is reached by TLS',
    /is reached by TLS, since|whatever certificate the server shows|ca-file changes nothing/,
  ],
  [
    'the server is held on loopback',
    /is held on loopback by Outrigger's shim|asked on loopback by the shim|only tells whether the port/,
  ],
  [
    'MCP is served over TLS',
    /: MCP is served over TLS|: the sidecar speaks TLS in its place|: public-url says http/,
  ],
  ['installs at start', /: installs at start \(|programs that it installs lie in/],
  ['metrics pass the sidecar, or do not', /^pod: the metrics that prometheus\.io/],
  ['an annotation on which nothing acts', /nothing acts on it (?:yet|with)/],
  ['the claim of audit records may not let the sidecar write', /^pod: the claim \S+ for audit/],
  ['nobody has chosen an egress-mode', /egress-mode: nobody has chosen one/],
  ['the server reaches nothing', /: reaches nothing on the network/],
  ['probes and hooks are confined', /: run under the shim's confinement/],
  [
    'callers lack what processes are given of them',
    /(?:caller-environment|token-exchange): every (?:caller|workload)/,
  ],
  ['clients cannot find the issuer by themselves', /public-url is missing: clients/],
  [
    'an annotation that is none, is wrong, or stands in the wrong place',
    /is not an annotation|is an annotation, not a label|but not outrigger\.dev\/inject|own holds in its place$/,
  ],
  [
    'the sidecar’s container was changed by somebody',
    /: is Outrigger's; taken off it|: its image is the cluster configuration's/,
  ],
]

export const OTHER = 'something else'

export const WARNING_KINDS: readonly string[] = KINDS.map(([kind]) => kind)

/** The kind of a warning. */
export const kindOfWarning = (warning: string): string =>
  KINDS.find(([, words]) => words.test(warning))?.[0] ?? OTHER
