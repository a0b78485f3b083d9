// Who asks the API server for something, as it says with a review.

export interface Asker {
  readonly user: string
  readonly uid: string
  readonly groups: readonly string[]
  readonly extra: Readonly<Record<string, readonly string[]>>
}

/** Whether somebody is in a group that the floor lists. */
export const isInAny = ({ groups }: Pick<Asker, 'groups'>, listed: readonly string[]): boolean =>
  groups.some((group) => listed.includes(group))
