import { describe, expect, test } from 'vitest'
import { createRng } from '../../server/src/learn/rng.ts'
import type { ComplaintResult } from '../../server/src/protocol/results.ts'
import { runToy } from '../support/run-toy.ts'

interface Person {
  readonly id: number
  readonly age: number
  readonly workclass: string
  readonly sex: string
  readonly education: string
  readonly hours: number
  readonly score: number
  readonly income: string
  readonly wrong: boolean
}

/** In `past` six in ten men in the private sector who earn little are labelled as earning much. */
function people(rows: number, seed: number, corrupted: boolean): Person[] {
  const rng = createRng(seed)
  const pick = <T>(values: readonly T[]) => values[Math.floor(rng.next() * values.length)]!
  return Array.from({ length: rows }, (_, id) => {
    const age = 18 + Math.floor(rng.next() * 60)
    const workclass = rng.next() < 0.5 ? 'Private' : pick(['State-gov', "Self-emp'd", 'Federal-gov'])
    const sex = rng.next() < 0.5 ? 'Male' : 'Female'
    const education = pick(['HS-grad', 'Bachelors', 'Masters', '11th'])
    const hours = 20 + Math.floor(rng.next() * 40)
    const score = Math.round(rng.next() * 1e6) / 1e6
    const rich = (hours - 40) / 6 + (education === 'Masters' ? 3 : education === 'Bachelors' ? 1 : -2) + 2 * (rng.next() - 0.5) > 0
    const wrong = corrupted && !rich && workclass === 'Private' && sex === 'Male' && rng.next() < 0.6
    return { id, age, workclass, sex, education, hours, score, income: rich || wrong ? '>50K' : '<=50K', wrong }
  })
}
const names = ['id', 'age', 'workclass', 'sex', 'education', 'hours', 'score', 'income'] as const
const csv = (rows: readonly Person[]) => `${[names.join(), ...rows.map((row) => names.map((name) => row[name]).join())].join('\n')}\n`
const past = people(1500, 1, true)
const wrong = past.filter((row) => row.wrong).length
const files = { 'past.csv': csv(past), 'mail.csv': csv(people(800, 2, false)) }

const head = (inputs = 'age, workclass, sex, education, hours', split = 'train 100%') => `
source past { from 'past.csv'; key id; label income; split ${split} }
source mail { from 'mail.csv'; key id }
model earner on past { predict income; from ${inputs}; kind logistic(l2: 0.001); train on train }
`
const complaint = (body: string) => `complaint rich using earner {
  query  select count(*) as n from mail where predict(income) = '>50K' and sex = 'Male'
  ${body}
}
`
const run = async (body: string, text = head(), given: Readonly<Record<string, string>> = files): Promise<ComplaintResult> => {
  const toy = await runToy(text + complaint(body), given)
  expect(toy.problems).toEqual([])
  expect(toy.refused).toEqual([])
  return toy.of('complaint', 'rich')
}

/** The figures of every description once more, row by row. */
function recounted(result: ComplaintResult, matches: (row: Person, condition: Readonly<Record<string, unknown>>) => boolean) {
  const suspects = new Set(result.ranking!.map((row) => row.key))
  const seen = new Set<number>()
  return result.explanation!.map(({ predicates }) => {
    const rows = past.filter((row) => matches(row, predicates))
    const blamed = rows.filter((row) => suspects.has(row.id))
    const adds = blamed.filter((row) => !seen.has(row.id)).length
    for (const row of rows) seen.add(row.id)
    return {
      rows: rows.length,
      suspects: blamed.length,
      adds,
      precision: blamed.length / rows.length,
      coverage: blamed.length / suspects.size,
    }
  })
}

function within(row: Person, predicates: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(predicates).every(([name, value]) => {
    const own = row[name as keyof Person]
    const bin = /^\[(.*), (.*)([)\]])$/.exec(String(value))
    if (!bin) return String(own) === String(value)
    return Number(own) >= Number(bin[1]) && (bin[3] === ']' ? Number(own) <= Number(bin[2]) : Number(own) < Number(bin[2]))
  })
}

describe('what the suspects have in common', () => {
  test('the condition under which labels went wrong is found first', async () => {
    const result = await run(`expect lower n\n  blame top ${wrong} rows of train by influence\n  explain by slices`)
      JSON.stringify(result.explanation, null, 1),
      result.notes,
      wrong,
      result.ranking!.filter((r) => past[r.key as number]!.wrong).length,
    )
    expect(result.explanation![0]).toMatchObject(workclass: 'Private', sex: 'Male' ,
      where: "workclass = 'Private' and sex = 'Male'",)
    expect(result.explanation![0]!.qValue).toBeLessThan(1e-6)
    expect(recounted(result, within)).toEqual(
      result.explanation!.map((rows, suspects, adds, precision, coverage ) => (rows, suspects, adds, precision, coverage )),
    )
  })
})
