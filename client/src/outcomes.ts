import type { ReportedProblem, Result, ResultFile } from '../../server/src/protocol/results.ts'
import { sameName } from './declarations.ts'
import { inertText } from './inert-text.ts'

/** What a run came to, in the words of a notification. The words of a panel are the server's. */
export function asked(file: ResultFile, names: readonly string[] | undefined): readonly Result[] {
  return names === undefined ? file.results : file.results.filter((one) => names.some((name) => sameName(name, one.name)))
}

/** Whether there is something to look at: an assertion that fails, a complaint that stands, a run that failed. */
export const isUnmet = ({ status }: Result): boolean => status === 'violated' || status === 'not-met' || status === 'failed'

/** Why there is no result: its own message, with what to do. */
export function reasonOf({ message, hint }: { readonly message?: string; readonly hint?: string }): string {
  if (message === undefined) return ''
  if (hint === undefined || message.includes(hint)) return inertText(message)
  return inertText(/[.!?]$/.test(hint) ? `${message} ${hint}` : `${message} Try ${hint}.`)
}

/** `5 ran: 1 fails or stands, 1 failed to run.` */
export function summaryOf(results: readonly Result[]): string {
  const tally = (status: Result['status']) => results.filter((one) => one.status === status).length
  const kind = (kind: string) => results.filter((one) => one.kind === kind && one.status === 'violated').length
  const assertions = kind('assert')
  const complaints = kind('complaint')
  const parts = [
    assertions > 0 && `${count(assertions, 'assertion')} ${assertions === 1 ? 'fails' : 'fail'}`,
    complaints > 0 && `${count(complaints, 'complaint')} ${complaints === 1 ? 'stands' : 'stand'}`,
    tally('violated') > assertions + complaints && `${tally('violated') - assertions - complaints} violated`,
    tally('not-met') > 0 && `${tally('not-met')} not met`,
    tally('failed') > 0 && `${tally('failed')} could not be computed`,
    tally('partial') > 0 && `${tally('partial')} partial`,
    tally('cancelled') > 0 && `${tally('cancelled')} cancelled`,
  ].filter((part) => part !== false)
  const skipped = tally('skipped')
  const ran = count(results.length - skipped, 'declaration')
  const rest = skipped > 0 ? `; ${skipped} ${skipped === 1 ? 'was' : 'were'} skipped` : ''
  return `${ran} ran: ${parts.length > 0 ? parts.join(', ') : 'everything holds'}${rest}.`
}

/** The first reason why nothing was computed. */
export const firstError = (problems: readonly ReportedProblem[]): ReportedProblem | undefined =>
  problems.find((problem) => problem.severity === 'error')

const count = (n: number, noun: string) => `${n} ${noun}${n === 1 ? '' : 's'}`
