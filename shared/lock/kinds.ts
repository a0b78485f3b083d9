// What of a server's words may be locked, and by which method it lists each.

export const LOCKED_KINDS = ['tools', 'prompts', 'resources', 'resourceTemplates'] as const
export type LockedKind = (typeof LOCKED_KINDS)[number]

export const LIST_METHODS = {
  tools: 'tools/list',
  prompts: 'prompts/list',
  resources: 'resources/list',
  resourceTemplates: 'resources/templates/list',
} as const satisfies Record<LockedKind, string>
