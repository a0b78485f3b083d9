// The rows of the annotation table about what a server's tools are and who may use them.

const CONFIG_MAP = {
  type: 'name',
  scopes: ['cluster', 'namespace', 'workload', 'pod'],
  readBy: 'webhook',
  tighten: { by: 'fixed' },
} as const

export const TOOLS = {
  'tool-policy': {
    ...CONFIG_MAP,
    doc: "ConfigMap of the pod's namespace whose key `policy.yaml` is the tool policy: what it does not allow is denied.",
  },
  'tool-lock': {
    ...CONFIG_MAP,
    doc: "ConfigMap of the pod's namespace whose key `lock.yaml` is the tool lock: what the server lists otherwise, or besides, is hidden and refused.",
  },
  'validate-arguments': {
    type: 'boolean',
    default: 'false',
    doc: "Whether a call is refused whose arguments are not as the tool's own input schema wants them, before the server sees it.",
    scopes: ['cluster', 'namespace', 'workload', 'pod'],
    readBy: 'sidecar',
    tighten: { by: 'order', order: ['false', 'true'] },
  },
} as const
