// How a claim may be called, also one that its issuer calls by a URL. Pure.

const CLAIM = /^[^\s\p{C},{}]{1,128}$/u

export const isClaimName = (text: string): boolean => CLAIM.test(text)
