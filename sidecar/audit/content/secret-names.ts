// Whether a member's name says that its value is a secret, however the name is written: `apiKey`, `API_KEY`, `api-key`. Pure.

const WORDS: ReadonlySet<string> = new Set([
  'apikey',
  'authorization',
  'cookie',
  'credential',
  'credentials',
  'cvc',
  'cvv',
  'jwt',
  'otp',
  'passcode',
  'passphrase',
  'passwd',
  'password',
  'passwords',
  'pin',
  'pwd',
  'secret',
  'secrets',
  'ssn',
  'token',
])
/** Two words behind each other. */
const PAIRS: ReadonlySet<string> = new Set([
  'access key',
  'account key',
  'api key',
  'api keys',
  'auth key',
  'card number',
  'encryption key',
  'pass phrase',
  'pass word',
  'private key',
  'session id',
  'session key',
  'shared key',
  'signing key',
])
/** MCP's own, which is no secret and stands in every call with progress. */
const OPEN: ReadonlySet<string> = new Set(['progresstoken'])
/** Of a longer name the end is looked at. */
const MAX_LENGTH = 256

/** A name in small letters without what stands between its words. */
export const foldedName = (name: string): string =>
  name.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, '')

const wordsOf = (name: string): readonly string[] =>
  name
    .slice(-MAX_LENGTH)
    .replaceAll(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1 $2')
    .replaceAll(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1 $2')
    .toLowerCase()
    .split(/[^\p{L}\p{N}]+/u)

export class SecretNames {
  private readonly own: ReadonlySet<string>

  /** `own`: further names, of the configuration. */
  constructor(own: readonly string[]) {
    this.own = new Set(own.map(foldedName))
  }

  has(name: string): boolean {
    const folded = foldedName(name.slice(-MAX_LENGTH))
    if (this.own.has(folded)) return true
    if (OPEN.has(folded)) return false
    const words = wordsOf(name)
    return (
      WORDS.has(folded) ||
      words.some((word, index) => WORDS.has(word) || PAIRS.has(`${words[index - 1] ?? ''} ${word}`))
    )
  }
}
