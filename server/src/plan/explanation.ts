import { printName } from '../../../grammar/src/printer.ts'
import type { ComplaintSpec, ModelSpec, SourceSpec, Spec } from '../check/spec.ts'
import { printSelect } from '../sql/print.ts'
import { type Column, ROW, type SqlExpr } from '../sql/tree.ts'
import { askedColumn, besideModel, isEmbedded } from './discovery.ts'
import { sourceNamed } from './expression.ts'
import type { ExplanationPlan, SlicedColumn } from './plan.ts'
import { isInteger, isSliceable, presentValue, slicedColumn } from './sliced-columns.ts'
import { modelNamed } from './tables.ts'

/**
 * By what the suspects of a complaint are described: the columns named in `over`, else the blamed model's inputs. Where none of these can be sliced
 * by (pictures, embeddings): the label, what the model predicts, and the source's other columns.
 */
export function explanationPlan(spec: Spec, complaint: ComplaintSpec): ExplanationPlan | undefined {
  if (complaint.explain === undefined) return undefined
  const model = modelNamed(spec, complaint.using[0]!)
  const source = sourceNamed(spec, model.source)
  const { columns, notes } = columnsOf(complaint.explain.over.map(askedColumn), source, model)
  const items = columns.map((sliced, i) => ({ value: itemValue(sliced), alias: `c${i}` }))
  const rows = {
    items: [...items, { value: at('s', ROW), alias: ROW }, { value: at(SUSPECTS, 'assay error'), alias: 'assay error' }],
    from: { kind: 'table' as const, name: source.name, alias: 's' },
    joins: [
      {
        side: 'inner' as const,
        from: { kind: 'table' as const, name: SUSPECTS },
        on: { kind: 'binary' as const, op: '=' as const, left: at(SUSPECTS, ROW), right: at('s', ROW) },
      },
    ],
  }
  return { columns, rowsSql: printSelect(rows), source: source.name, depth: DEPTH, notes }
}

/** Rows that could be blamed, by position: `assay error` is 1 for suspects and 0 for others, `prediction` what the model says. Made by the engine. */
export const SUSPECTS = 'assay suspects'
/** Descriptions are to be read at a glance. */
const DEPTH = 3

const at = (table: string, name: string): SqlExpr => ({ kind: 'column', table, name })

function itemValue({ column, predicted }: ExplanationPlan['columns'][number]): SqlExpr {
  return presentValue(column, predicted ? at(SUSPECTS, 'prediction') : at('s', column.name))
}

function columnsOf(over: readonly SlicedColumn[], source: SourceSpec, model: ModelSpec): Pick<ExplanationPlan, 'columns' | 'notes'> {
  if (over.length > 0) return { columns: over, notes: [] }
  const inputs = isEmbedded(model) ? [] : model.inputs
  const sliceable = inputs.filter(isSliceable)
  if (sliceable.length > 0) {
    const left = inputs.filter((c) => !isSliceable(c)).map((c) => `\`${c.name}\``)
    const notes = left.length > 0 ? [`Suspects cannot be described by ${left.join(', ')}: left out.`] : []
    return { columns: sliceable.map((column) => slicedColumn({ column })), notes }
  }
  const read = new Set([model.target, ...model.inputs].map((c) => c.name.toLowerCase()))
  const others = besideModel(source, model).filter((c) => isSliceable(c) && !read.has(c.name.toLowerCase()))
  const said: Column = { ...model.target, name: `predict(${printName({ text: model.target.name })})` }
  const label = printName({ text: model.target.name })
  return {
    columns: [
      answerColumn(model, model.target, label),
      { ...answerColumn(model, said, `predict(${label})`), predicted: true },
      ...others.map((column) => ({ ...slicedColumn({ column }), mayIdentify: isInteger(column) })),
    ],
    notes: [],
  }
}

/** Classes stand for themselves, also where they are numbers. */
function answerColumn({ task }: ModelSpec, column: Column, written: string): SlicedColumn {
  const bins = task === 'classification' && column.type === 'number' ? MOST_CLASSES : undefined
  return { ...slicedColumn({ column, bins }), written }
}
const MOST_CLASSES = 1000
