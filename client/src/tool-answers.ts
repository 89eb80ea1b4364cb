import type { Json, ResultFile } from '../../server/src/protocol/results.ts'
import type { Declared } from './declarations.ts'

/** What a chat assistant is given: JSON, lists cut to what can be read, and said to be cut. */
export function resultAnswer(file: ResultFile, mostCharacters = 24_000): string {
  for (const most of [50, 20, 10, 3, 1]) {
    const text = JSON.stringify(shortened(file as unknown as Json, most))
    if (text.length <= mostCharacters) return text
  }
  const results = file.results.map(({ name, kind, status, message, hint }) => ({ name, kind, status, message, hint }))
  return JSON.stringify({
    schema: file.schema,
    file: file.file,
    note: 'Cut to the verdicts: ask for one declaration by name.',
    results,
  }).slice(0, mostCharacters)
}

export function checkAnswer(file: ResultFile, declared: readonly Declared[]): string {
  const problems = file.problems
    .slice(0, 50)
    .map(({ severity, message, hint, line, column, code }) => ({ severity, message, hint, line, column, code }))
  return JSON.stringify({
    file: file.file,
    problems,
    ...(file.problems.length > problems.length ? { moreProblems: file.problems.length - problems.length } : {}),
    declarations: declared.slice(0, 200).map(({ name, kind }) => ({ name, kind })),
  })
}

const longestText = 400

function shortened(value: Json, most: number): Json {
  if (typeof value === 'string') return value.length > longestText ? `${value.slice(0, longestText)}…` : value
  if (Array.isArray(value)) {
    const kept = value.slice(0, most).map((one: Json) => shortened(one, most))
    return value.length > most ? [...kept, `… and ${value.length - most} more`] : kept
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value as Readonly<Record<string, Json>>).map(([name, one]) => [name, shortened(one, most)]))
}
