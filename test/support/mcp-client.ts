// The contract: one face for the official clients of both lines, so that a table of tests runs with each. It calls
// their own typed methods; only what neither offers goes through their generic `request`.

import type { Answers, Notifications, Reply } from './client-answers.ts'

export type CallOptions = {
  readonly onProgress?: (progress: Reply) => void
  readonly signal?: AbortSignal
}

export type CompletionOf =
  | { readonly type: 'ref/prompt'; readonly name: string }
  | { readonly type: 'ref/resource'; readonly uri: string }

export type Completion = {
  readonly of: CompletionOf
  readonly argument: { readonly name: string; readonly value: string }
  /** Arguments that are already settled. */
  readonly settled?: Record<string, string>
}

export interface McpClient {
  readonly era: string | undefined
  readonly revision: string | undefined
  readonly sessionId: string | undefined
  readonly instructions: string | undefined
  readonly answers: Answers
  readonly notifications: Notifications
  readonly listTools: () => Promise<readonly { readonly name: string }[]>
  readonly call: (name: string, args?: Reply, options?: CallOptions) => Promise<Reply>
  readonly listPrompts: () => Promise<readonly { readonly name: string }[]>
  readonly getPrompt: (name: string, args?: Record<string, string>) => Promise<Reply>
  readonly listResources: () => Promise<readonly { readonly uri: string }[]>
  readonly listTemplates: () => Promise<readonly { readonly uriTemplate: string }[]>
  readonly read: (uri: string) => Promise<Reply>
  readonly complete: (completion: Completion) => Promise<readonly string[]>
  readonly subscribe: (uri: string) => Promise<void>
  readonly unsubscribe: (uri: string) => Promise<void>
  readonly setLevel: (level: 'debug' | 'error' | 'emergency') => Promise<void>
  readonly ping: () => Promise<void>
  readonly rootsChanged: () => Promise<void>
  /** Ends the session and the client. */
  readonly close: () => Promise<void>
}
