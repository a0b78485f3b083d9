// The rules of a policy as they are looked up: by kind and exact name at once, patterns one after another. Pure.

import type { Who } from './caller.ts'
import type { Condition } from './condition.ts'
import { globOf, overlaps, covers, type Glob } from './glob.ts'
import { KINDS, type Kind } from './schema.ts'
import { isPlainUri } from './uri.ts'

/** Patterns of names. */
export type Targets = { readonly [kind in Kind]?: readonly string[] | undefined }

export interface Rule {
  /** As decisions name it: that of a rule, or `role:` and that of a role. */
  readonly name: string
  /** Where it stands: of several the first is named. */
  readonly order: number
  readonly effect: 'allow' | 'deny'
  readonly who: Who
  /** Undefined: whatever there is. */
  readonly targets: Targets | undefined
  readonly condition: Condition | undefined
}

/** What a call, or a line of a list, is about. */
export interface Target {
  readonly kind: Kind
  readonly name: string
  /** `name` is the glob of a resource template's URIs. */
  readonly isTemplate?: boolean
}

interface Patterned {
  readonly glob: Glob
  readonly rule: Rule
}

interface KindIndex {
  readonly exact: Map<string, Rule[]>
  readonly patterned: Patterned[]
  /** What has been found for names of late: there are few tools, called again and again, and many patterns. */
  readonly found: Map<string, readonly Rule[]>
}

const MAX_FOUND = 256
const MAX_FOUND_LENGTH = 128

/** Long enough for any name; longer ones are nobody's. */
const MAX_NAME_LENGTH = 4096

const MAX_TEMPLATE_LENGTH = 1024

const emptyIndex = (): KindIndex => ({ exact: new Map(), patterned: [], found: new Map() })

/** The rules of one effect. */
export class RuleIndex {
  private readonly everything: Rule[] = []
  private readonly byKind: Readonly<Record<Kind, KindIndex>> = {
    tools: emptyIndex(),
    prompts: emptyIndex(),
    resources: emptyIndex(),
    methods: emptyIndex(),
  }

  constructor(rules: readonly Rule[]) {
    for (const rule of rules) {
      if (rule.targets === undefined) this.everything.push(rule)
      else for (const kind of KINDS) this.add(kind, rule.targets[kind] ?? [], rule)
    }
  }

  /** The rules about a target, in their order. */
  about(target: Target): readonly Rule[] {
    const { everything } = this
    const found = target.isTemplate === true ? this.aboutTemplate(target) : this.knownAbout(target)
    if (everything.length === 0) return found
    return found.length === 0 ? everything : inOrder([...found, ...everything])
  }

  private add(kind: Kind, patterns: readonly string[], rule: Rule): void {
    const { exact, patterned } = this.byKind[kind]
    for (const pattern of patterns) {
      const glob = globOf(pattern)
      if (!glob.isExact) patterned.push({ glob, rule })
      else if (exact.has(pattern)) exact.get(pattern)?.push(rule)
      else exact.set(pattern, [rule])
    }
  }

  private knownAbout(target: Target): readonly Rule[] {
    const { found, patterned } = this.byKind[target.kind]
    if (patterned.length === 0) return this.aboutName(target)
    const known = found.get(target.name)
    if (known) return known
    const rules = this.aboutName(target)
    if (found.size >= MAX_FOUND) found.clear()
    if (target.name.length <= MAX_FOUND_LENGTH) found.set(target.name, rules)
    return rules
  }

  private aboutName({ kind, name }: Target): readonly Rule[] {
    const { exact, patterned } = this.byKind[kind]
    const named = exact.get(name) ?? NONE
    if (patterned.length === 0 || name.length > MAX_NAME_LENGTH) return named
    let found: Rule[] | undefined
    for (const { glob, rule } of isOdd(kind, name) ? patterned.filter(isDenying) : patterned) {
      if (glob.matches(name)) (found ??= [...named]).push(rule)
    }
    return found ? inOrder(found) : named
  }

  /** Of a template: what may be about one of its URIs, where it allows; about all, where it denies. */
  private aboutTemplate({ kind, name }: Target): readonly Rule[] {
    const { exact, patterned } = this.byKind[kind]
    if (name.length > MAX_TEMPLATE_LENGTH) return NONE
    const fits = (glob: Glob, rule: Rule): boolean =>
      rule.effect === 'allow' ? overlaps(glob.text, name) : covers(glob, name)
    const named = [...exact].flatMap(([text, rules]) =>
      rules.filter((rule) => fits(globOf(text), rule)),
    )
    return inOrder([
      ...named,
      ...patterned.filter(({ glob, rule }) => fits(glob, rule)).map(({ rule }) => rule),
    ])
  }
}

/** Whether a server may take it for another, which patterns must not allow. */
const isOdd = (kind: Kind, name: string): boolean => kind === 'resources' && !isPlainUri(name)

const isDenying = ({ rule }: Patterned): boolean => rule.effect === 'deny'

const NONE: readonly Rule[] = []

const inOrder = (rules: Rule[]): readonly Rule[] =>
  rules.length < 2 ? rules : rules.sort((a, b) => a.order - b.order)
