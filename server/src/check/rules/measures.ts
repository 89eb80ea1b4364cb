import type * as ast from '../../../../grammar/src/ast.ts'
import { nearest } from '../../../../grammar/src/nearest.ts'
import { reportMissing } from '../model-calls.ts'
import { fold } from '../names.ts'
import { findRef, lookup, type ModelInfo, report, type Site, spoil, use } from '../scope.ts'
import type { MeasureSpec } from '../spec.ts'

const METRICS = ['accuracy', 'loss', 'rmse', 'auc'] as const
type Metric = (typeof METRICS)[number]
const isMetric = (name: string): name is Metric => (METRICS as readonly string[]).includes(name)

/** What is compared before and after: a complaint, or a metric that fits the model, on rows that have what it needs. */
export function checkMeasure(measure: ast.Measure, model: ModelInfo | undefined, site: Site): MeasureSpec | undefined {
  const { name, on } = measure
  const entry = lookup(site, name)
  if (entry?.decl.kind === 'complaint') {
    use(site, entry, name)
    if (on) report(site, 'measure-place', on, { name: entry.name })
    return { kind: 'complaint', complaint: entry.name, text: entry.name }
  }
  const metric = name.text.toLowerCase()
  if (!isMetric(metric)) {
    reportUnknown(name, site)
    return undefined
  }
  if (model && model.task === 'regression' && (metric === 'accuracy' || metric === 'auc')) {
    report(site, 'measure-task', name, { name: metric, task: 'the prediction of a number', instead: '`rmse` or `loss`' })
  }
  if (model && model.task === 'classification' && metric === 'rmse') {
    report(site, 'measure-task', name, { name: metric, task: 'classes', instead: '`accuracy`, `auc` or `loss`' })
  }
  const place = findRef(site, on)
  if (on && place === undefined) return undefined
  if (on && place && model) {
    reportMissing(on, model, place.source, { site })
    if (model.target && !place.source.open && !place.source.columns.has(fold(model.target.name))) {
      report(site, 'measure-column', on, { name: metric, column: model.target.name, source: place.source.name })
    }
  }
  const text = on && place ? `${metric} on ${place.source.name}${place.split === undefined ? '' : `.${place.split}`}` : metric
  return { kind: 'metric', metric, on: place && { source: place.source.name, split: place.split }, text }
}

function reportUnknown(name: ast.Name, site: Site): void {
  const { scope, missing } = site.entry.module
  if (missing.has(fold(name.text))) {
    spoil(site)
    return
  }
  const complaints = [...scope.values()].filter((one) => one.decl.kind === 'complaint').map((one) => one.name)
  report(site, 'unknown-measure', name, { name: name.text, nearest: nearest(name.text, [...METRICS, ...complaints]) })
}
