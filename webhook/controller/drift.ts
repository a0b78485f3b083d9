// Whether an object still is what it is to be: of a policy to the letter, since whatever is added to one opens something; of a
// Service in what we say of it, since the API server and others fill in the rest. Pure.

import {
  isList,
  isObject,
  isSame,
  objectAt,
  objectsAt,
  stringAt,
  type Json,
  type JsonObject,
} from '../../shared/json.ts'
import { SERVER_LABEL } from '../../shared/names.ts'
import { isManaged, type Standing } from './standing.ts'

/** Whether everything that is wanted is there; a list as a whole. */
export const covers = (is: Json | undefined, wanted: Json | undefined): boolean => {
  if (isList(wanted)) {
    return (
      isList(is) &&
      is.length === wanted.length &&
      wanted.every((item, index) => covers(is[index], item))
    )
  }
  if (!isObject(wanted)) return is === wanted
  return isObject(is) && Object.entries(wanted).every(([name, value]) => covers(is[name], value))
}

/** The API server leaves out lists that are empty. */
const withoutEmpty = (object: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(object).filter(([, value]) => !(isList(value) && value.length === 0)),
  )

/** A label more in a selector is fewer pods. */
const isServiceRight = (is: JsonObject, wanted: JsonObject): boolean =>
  covers(is, wanted) && isSame(is['selector'], wanted['selector'])

const isSpecRight = ({ kind, spec }: Standing, wanted: JsonObject): boolean =>
  kind === 'NetworkPolicy'
    ? isSame(withoutEmpty(spec), withoutEmpty(wanted))
    : isServiceRight(spec, wanted)

const ownersIn = (metadata: Json | undefined): readonly JsonObject[] =>
  objectsAt(metadata, 'ownerReferences')

/** Whether a companion stands as it is to; others may own it besides. */
export const isRight = (standing: Standing, wanted: JsonObject): boolean => {
  const { metadata } = wanted
  const labels = isObject(metadata) ? metadata['labels'] : undefined
  const owners = ownersIn(standing.owners)
  return (
    covers(standing.labels, labels) &&
    ownersIn(metadata).every((owner) => owners.some((one) => covers(one, owner))) &&
    isSpecRight(standing, objectAt(wanted, 'spec'))
  )
}

/** Whether somebody is an owner of it. */
export const isOwnedBy = (standing: Standing, uid: Json | undefined): boolean =>
  ownersIn(standing.owners).some((owner) => owner['uid'] === uid)

/** One of the two may be a namespace's, or have lost the label. */
const isOfSameServer = ({ server }: Standing, wanted: JsonObject): boolean => {
  const label = stringAt(wanted, 'metadata', 'labels', SERVER_LABEL) ?? ''
  return server === '' || label === '' || server === label
}

/** Whether an object of a companion's name is that companion: by its labels, or by whom it belongs to where somebody changed those. */
export const isOurs = (standing: Standing, wanted: JsonObject): boolean => {
  if (isManaged(standing) && isOfSameServer(standing, wanted)) return true
  const owners = ownersIn(wanted['metadata'])
  return owners.length > 0 && owners.every(({ uid }) => isOwnedBy(standing, uid))
}
