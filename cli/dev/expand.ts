// `$(VAR)` in a container's command, args and env, as the kubelet expands it (Kubernetes: "define
// dependent environment variables"): `$$` is an escaped `$`, an unknown name stays as it is. Pure.

const REFERENCE = /\$\$|\$\(([^()]+)\)/g

export const expand = (
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): string =>
  text.replace(REFERENCE, (whole, name: string | undefined) =>
    name === undefined ? '$' : (environment[name] ?? whole),
  )
