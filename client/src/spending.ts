import { window } from 'vscode'
import type { Result } from '../../server/src/protocol/results.ts'
import { inertText } from './inert-text.ts'
import { planLines } from './plan-lines.ts'

/** Asks once before anything that spends, with what the plan says it would. */
export async function confirmedSpending(plan: Result): Promise<boolean> {
  const yes = plan.kind === 'cycle' ? 'Start the Round' : 'Run Acquisition'
  const question = `${yes === 'Start the Round' ? 'Start the next round of' : 'Run'} ${inertText(plan.name, 80)}? It spends its budget.`
  return (await window.showWarningMessage(question, { modal: true, detail: planLines(plan).join('\n') }, yes)) === yes
}
