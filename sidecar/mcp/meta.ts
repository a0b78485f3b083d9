// The members of `params._meta` that the modern era reads (2026-07-28: `_meta`), and the methods of subscriptions.

export const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion'
export const CAPABILITIES_KEY = 'io.modelcontextprotocol/clientCapabilities'
export const CLIENT_KEY = 'io.modelcontextprotocol/clientInfo'
export const LOG_LEVEL_KEY = 'io.modelcontextprotocol/logLevel'
/** Tells which `subscriptions/listen` a message belongs to. */
export const SUBSCRIPTION_KEY = 'io.modelcontextprotocol/subscriptionId'
/** The request that is answered by what happens from then on. */
export const SUBSCRIBE = 'subscriptions/listen'
/** Says that a resource has changed, to those who have subscribed to it. */
export const UPDATED = 'notifications/resources/updated'
