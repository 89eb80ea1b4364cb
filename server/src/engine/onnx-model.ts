import type { OnnxSpec } from '../check/spec.ts'
import { type ColumnData, type Columns, DataProblem } from '../data/tables.ts'
import type { ModelPlan } from '../plan/plan.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'
import type { Predictions } from './predictions.ts'

const later = () => new DataProblem('later', 'later')
export async function embedRows(_ctx: RunContext, _plan: ModelPlan, _onnx: OnnxSpec, _columns: Columns): Promise<ColumnData> {
  throw later()
}
export async function onnxLabels(_ctx: RunContext, _plan: ModelPlan): Promise<Pick<FittedModel, 'labels' | 'notes'>> {
  throw later()
}
export async function onnxAnswers(_ctx: RunContext, _model: FittedModel, _source: string): Promise<Predictions> {
  throw later()
}
