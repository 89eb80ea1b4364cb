/** Which rule reads which clause and which header. A test asserts that every word of the keyword table is here. */
import type { DeclarationKind } from './ast.ts'
import type { SpendingRules } from './spending-rules.ts'

type Rule<T> = (rules: SpendingRules) => T
type Readers = Readonly<Record<string, Rule<object>>>

export const headerReaders: Readonly<Record<DeclarationKind, Rule<void>>> = {
  source: (rules) => rules.plainHeader(),
  oracle: (rules) => rules.oracleHeader(),
  model: (rules) => rules.sourceHeader(),
  slice: (rules) => rules.sliceHeader(),
  partition: (rules) => rules.sourceHeader(),
  discover: (rules) => rules.discoverHeader(),
  assert: (rules) => rules.refHeader(),
  review: (rules) => rules.reviewHeader(),
  complaint: (rules) => rules.usingHeader(),
  intervene: (rules) => rules.plainHeader(),
  acquire: (rules) => rules.forHeader(),
  cycle: (rules) => rules.forHeader(),
  find: (rules) => rules.refHeader(),
  estimate: (rules) => rules.refHeader(),
}

const guaranteed: Readers = {
  where: (rules) => rules.conditionBody(),
  proxy: (rules) => rules.valueBody(),
  recall: (rules) => rules.promiseAtLeast(),
  precision: (rules) => rules.promiseAtLeast(),
  error: (rules) => rules.promiseAtMost(),
  budget: (rules) => rules.labelBudget(),
  method: (rules) => rules.settingBody(),
}

export const clauseReaders: Readonly<Record<DeclarationKind, Readers>> = {
  source: {
    from: (rules) => rules.sourceFrom(),
    key: (rules) => rules.columnsBody(),
    order: (rules) => rules.sourceOrder(),
    label: (rules) => rules.columnBody(),
    names: (rules) => rules.sourceNames(),
    secret: (rules) => rules.sourceSecret(),
    split: (rules) => rules.sourceSplit(),
  },
  oracle: {
    ask: (rules) => rules.columnsBody(),
    from: (rules) => rules.oracleFrom(),
    queue: (rules) => rules.pathBody(),
    cost: (rules) => rules.perRow(),
  },
  model: {
    predict: (rules) => rules.columnBody(),
    from: (rules) => rules.columnsBody(),
    kind: (rules) => rules.settingBody(),
    train: (rules) => rules.modelTrain(),
    validate: (rules) => rules.modelValidate(),
  },
  slice: {},
  partition: {
    by: (rules) => rules.partitionBy(),
    tree: (rules) => rules.partitionTree(),
    minimum: (rules) => rules.minimum(),
  },
  discover: {
    over: (rules) => rules.discoverOver(),
    error: (rules) => rules.valueBody(),
    support: (rules) => rules.discoverSupport(),
    depth: (rules) => rules.discoverDepth(),
    top: (rules) => rules.discoverTop(),
    alpha: (rules) => rules.discoverAlpha(),
    control: (rules) => rules.discoverControl(),
  },
  assert: {
    each: (rules) => rules.assertEach(),
    learn: (rules) => rules.assertLearn(),
    require: (rules) => rules.conditionBody(),
    severity: (rules) => rules.valueBody(),
    level: (rules) => rules.assertLevel(),
    warn: (rules) => rules.above(),
    fail: (rules) => rules.above(),
    correct: (rules) => rules.assertCorrect(),
  },
  review: {
    flagged: (rules) => rules.reviewFlagged(),
    strategy: (rules) => rules.settingBody(),
    budget: (rules) => rules.labelBudget(),
    ask: (rules) => rules.reviewAsk(),
  },
  complaint: {
    query: (rules) => rules.complaintQuery(),
    expect: (rules) => rules.complaintExpect(),
    blame: (rules) => rules.complaintBlame(),
    method: (rules) => rules.settingBody(),
    explain: (rules) => rules.complaintExplain(),
  },
  intervene: {
    for: (rules) => rules.interveneFor(),
    remove: (rules) => rules.fixRemove(),
    relabel: (rules) => rules.fixRelabel(),
    denoise: (rules) => rules.fixDenoise(),
    replace: (rules) => rules.fixReplace(),
    set: (rules) => rules.fixSet(),
    retrain: (rules) => rules.interveneRetrain(),
    compare: (rules) => rules.interveneCompare(),
  },
  acquire: {
    slices: (rules) => rules.acquireSlices(),
    want: (rules) => rules.acquireWant(),
    from: (rules) => rules.acquireFrom(),
    cost: (rules) => rules.acquireCost(),
    budget: (rules) => rules.acquireBudget(),
    minimize: (rules) => rules.acquireMinimize(),
    strategy: (rules) => rules.settingBody(),
    curve: (rules) => rules.settingBody(),
    sampling: (rules) => rules.settingBody(),
    minimum: (rules) => rules.minimum(),
    stop: (rules) => rules.stop(),
    into: (rules) => rules.pathBody(),
  },
  cycle: {
    discover: (rules) => rules.nameBody(),
    acquire: (rules) => rules.nameBody(),
    rounds: (rules) => rules.cycleRounds(),
    stop: (rules) => rules.stop(),
  },
  find: guaranteed,
  estimate: { value: (rules) => rules.valueBody(), range: (rules) => rules.estimateRange(), ...guaranteed },
}
