// What was found as SARIF 2.1.0, for code scanning: a rule for each rule and each code, a result for each
// finding, at the line where its object begins. Pure.

import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { JsonObject } from '../../shared/json.ts'
import { VERSION } from '../../shared/names.ts'
import { oneLine } from '../../shared/one-line.ts'
import { isRuleId, RULES, type Severity } from '../../webhook/settings/rule.ts'
import { isViolationCode, VIOLATIONS } from '../../webhook/settings/violation.ts'
import type { ReportedFile } from '../manifest/report.ts'
import type { ToldObject } from '../manifest/told-objects.ts'
import { jsonText } from '../output/json.ts'

const SCHEMA = 'https://json.schemastore.org/sarif-2.1.0.json'

/** As code scanning sorts them (0 to 10). */
const SECURITY_SEVERITY: Readonly<Record<Severity, string>> = {
  critical: '9.5',
  high: '8.0',
  medium: '5.5',
}

const WARNING = 'warning'
const UNREADABLE = 'unreadable'

const text = (words: string): JsonObject => ({ text: oneLine(words) })

const ruleOf = (id: string): JsonObject => {
  if (isRuleId(id)) {
    const { what, why, fix, level, severity } = RULES[id]
    return {
      id,
      shortDescription: text(what),
      fullDescription: text(`${what}: else ${why}`),
      help: text(fix),
      properties: { level, 'security-severity': SECURITY_SEVERITY[severity], tags: ['security'] },
    }
  }
  if (isViolationCode(id)) return { id, shortDescription: text(VIOLATIONS[id]) }
  const words = id === WARNING ? 'what its author should know' : 'the file cannot be read'
  return { id, shortDescription: text(words) }
}

/** A path as a URI: relative to the folder where it is below it, else whole. */
const uriOf = (file: string, folder: string): string => {
  const { href } = pathToFileURL(resolve(folder, file))
  const base = `${pathToFileURL(resolve(folder)).href}/`
  return href.startsWith(base) ? href.slice(base.length) : href
}

interface Found {
  readonly ruleId: string
  readonly level: 'error' | 'warning'
  readonly message: string
  readonly file: string
  readonly line: number
  /** Undefined: it is about the file. */
  readonly name?: string
}

const warned = (file: string, { line, name, warnings }: ToldObject): readonly Found[] =>
  warnings.map((message): Found => {
    return { ruleId: WARNING, level: 'warning', message, file, line, name }
  })

const denied = (file: string, { line, name, violations }: ToldObject): readonly Found[] =>
  violations.map(({ code, rule, message }): Found => {
    const ruleId = rule ?? code
    return { ruleId, level: 'error', message, file, line, name }
  })

const inFile = ({ file, pods, objects, faults }: ReportedFile): readonly Found[] => [
  ...faults.map((message): Found => {
    return { ruleId: UNREADABLE, level: 'error', message, file, line: 1 }
  }),
  ...[...pods, ...objects].flatMap((object) => denied(file, object).concat(warned(file, object))),
]

const resultOf = (
  { ruleId, level, message, file, line, name }: Found,
  folder: string,
): JsonObject => ({
  ruleId,
  level,
  message: text(name === undefined ? message : `${name}: ${message}`),
  locations: [
    {
      physicalLocation: {
        artifactLocation: { uri: uriOf(file, folder) },
        region: { startLine: line },
      },
      ...(name === undefined ? {} : { logicalLocations: [{ fullyQualifiedName: oneLine(name) }] }),
    },
  ],
})

/** `folder`: where relative names begin, the working directory. */
export const checkSarif = (files: readonly ReportedFile[], folder: string): string => {
  const found = files.flatMap(inFile)
  const ids = [...new Set(found.map(({ ruleId }) => ruleId))].sort()
  const driver = { name: 'outrigger', version: VERSION, rules: ids.map(ruleOf) }
  const results = found.map((each) => resultOf(each, folder))
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results }
  return jsonText({ $schema: SCHEMA, version: '2.1.0', runs: [run] })
}
