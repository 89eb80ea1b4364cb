import type { AssertTask, Plan } from '../plan/plan.ts'
import type { AssertResult, FlaggedRow, Json, Key } from '../protocol/results.ts'
import { jsonAt, namedColumn, numberAt } from './columns.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'
import { predict, registerPredictions } from './predictions.ts'

/** Carries out an assertion's one query and reads its verdict: counts, the flagged rows worst first, the level that its thresholds give. */
export async function runAssertion(
  ctx: RunContext,
  plan: Plan,
  task: AssertTask,
  models: readonly FittedModel[],
): Promise<Pick<AssertResult, 'status' | 'level' | 'checked' | 'failed' | 'unknown' | 'fraction' | 'flagged' | 'total' | 'sql' | 'notes'>> {
  for (const asked of task.predictions) {
    const model = models.find((m) => m.plan.name === asked.model)!
    await registerPredictions(ctx, model, await predict(ctx, model, asked.source), asked.scores)
  }
  ctx.step('judging', 0, 0)
  const answer = await ctx.tables.query(task.sql)
  const counts = (name: string) => numberAt(namedColumn(answer, `assay ${name}`), 0) ?? 0
  const checked = counts('checked')
  const failed = counts('failed')
  const unknown = counts('unknown')
  const judged = checked - unknown
  const fraction = judged > 0 ? failed / judged : 0
  const source = plan.sources.find((s) => s.name === task.on.source)!
  const flagged: FlaggedRow[] = []
  for (let i = 0; failed > 0 && i < answer.rows; i++) {
    const shared = {
      severity: numberAt(namedColumn(answer, 'assay severity'), i) ?? 1,
      values: Object.fromEntries(task.valueColumns.map((name, v) => [name, jsonAt(namedColumn(answer, `assay value ${v}`), i)])),
    }
    const rows = namedColumn(answer, 'assay rows')
    if (task.scope === 'row') {
      const key = parsedKey(jsonAt(rows, i), source.key.length)
      flagged.push({ key, ...shared, rows: [key] })
      continue
    }
    const group = task.groupColumns.map((_, g) => jsonAt(namedColumn(answer, `assay group ${g}`), i))
    const keys = JSON.parse(String(jsonAt(rows, i) ?? '[]')) as Json[]
    flagged.push({
      key: (group.length === 1 ? (group[0] ?? 'null') : group) as Key,
      ...shared,
      values: { ...Object.fromEntries(task.groupColumns.map((name, g) => [name, group[g]!])), ...shared.values },
      rows: keys.map((key) => parsedKey(key, source.key.length)),
    })
  }
  const above = (limit: number | undefined) => limit !== undefined && fraction > limit
  const strict = task.warnAbove === undefined && task.failAbove === undefined
  const fails = strict ? failed > 0 : above(task.failAbove)
  const warns = !fails && above(task.warnAbove)
  return {
    status: fails ? 'violated' : 'ok',
    level: fails ? task.level : warns ? 'warning' : task.level,
    checked,
    failed,
    unknown,
    fraction,
    flagged,
    total: failed,
    sql: task.sql,
    notes:
      checked === 0
        ? ['There was nothing to check: no row is in scope.']
        : warns
          ? ['Above the threshold of `warn above`, not of `fail above`.']
          : undefined,
  }
}

/** Several key columns come as the text of a JSON array. */
function parsedKey(value: Json, columns: number): Key {
  if (columns > 1 && typeof value === 'string') return JSON.parse(value) as Key
  return (value ?? 'null') as Key
}
