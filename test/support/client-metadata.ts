// What the official clients of the tests say of themselves, to register or in a document of their own.

/** Where a user's browser comes back to. */
export const HOME = 'http://127.0.0.1:9/callback'

export const CLIENT_METADATA = {
  client_name: 'outrigger-tests',
  redirect_uris: [HOME],
  grant_types: ['authorization_code'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}
