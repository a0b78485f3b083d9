// What writes our authorities into a webhook configuration, and nothing else of it. Pure.

interface NamedWebhook {
  readonly name: string
  readonly clientConfig: { readonly caBundle?: string }
}

/** What writes the bundle into each entry that lacks it. */
export const bundleOperations = (webhooks: readonly NamedWebhook[], caBundle: string) =>
  webhooks.flatMap(({ name, clientConfig }, index) =>
    clientConfig.caBundle === caBundle
      ? []
      : [
          // Guards against a list that has been reordered since it was read, and against another replica that has
          // read the authorities later and written first.
          { op: 'test', path: `/webhooks/${index}/name`, value: name },
          ...(clientConfig.caBundle
            ? [
                {
                  op: 'test',
                  path: `/webhooks/${index}/clientConfig/caBundle`,
                  value: clientConfig.caBundle,
                },
              ]
            : []),
          { op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: caBundle },
        ],
  )
