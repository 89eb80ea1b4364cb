import type { Json, ResultFile } from '../../server/src/protocol/results.ts'
import type { Declared } from './declarations.ts'

/** What a chat assistant is given: JSON, long lists cut and said to be cut. */
export function resultAnswer(file: ResultFile, mostCharacters = 24_000): string {
  for (const most of [50, 20, 10, 3, 1]) {
    const results = file.results.map((one) => shortened(one as unknown as Json, most))
    const text = JSON.stringify({ ...file, problems: file.problems.slice(0, most), results })
    if (text.length <= mostCharacters) return text
  }
  const { schema } = file
  for (let most = file.results.length; most > 0; most = Math.floor(most / 2)) {
    const results = file.results.slice(0, most).map(({ name, kind, status }) => ({ name: cut(name, 80), kind, status }))
    const left = file.results.length - most
    const text = JSON.stringify({
      schema,
      results,
      note: `Verdicts only${left > 0 ? `, and ${left} more` : ''}. Ask for one declaration by its name.`,
    })
    if (text.length <= mostCharacters) return text
  }
  return JSON.stringify({ schema, results: [], note: 'Too much to tell. Ask for one declaration by its name.' })
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
  if (typeof value === 'string') return cut(value, longestText)
  if (Array.isArray(value)) {
    const kept = value.slice(0, most).map((one: Json) => shortened(one, most))
    return value.length > most ? [...kept, `… and ${value.length - most} more`] : kept
  }
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value as Readonly<Record<string, Json>>).map(([name, one]) => [name, shortened(one, most)]))
}

const cut = (text: string, most: number) => (text.length > most ? `${text.slice(0, most)}…` : text)
