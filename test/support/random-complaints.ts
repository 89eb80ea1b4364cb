import type { Rng } from '../../server/src/learn/rng.ts'

/** Random queries of complaints over the two tables of the lab (`a`: x, c, models m and r; `b`: z, models m and w). Everything that can be relaxed is among them. */
export interface RandomComplaint {
  readonly query: string
  readonly expectation: string
}

interface Alias {
  readonly name: string
  readonly table: 'a' | 'b'
}

export function randomComplaint(rng: Rng): RandomComplaint {
  const pick = <T>(items: readonly T[]): T => items[Math.floor(rng.next() * items.length)]!
  const chance = (p: number) => rng.next() < p
  const label = () => pick(["'p'", "'q'", "'r'"])

  const joinForms: readonly (() => { from: string; aliases: Alias[] })[] = [
    () => ({ from: 'a as l', aliases: [{ name: 'l', table: 'a' }] }),
    () => ({ from: 'b as l', aliases: [{ name: 'l', table: 'b' }] }),
    () => {
      const tables = [pick(['a', 'b'] as const), pick(['a', 'b'] as const)]
      const on = pick([
        'l.k = o.k',
        'predict(l.t) = predict(o.t)',
        'l.k = o.k and predict(l.t) = predict(o.t)',
        "l.k = o.k and predict(o.t) <> 'p'",
        'predict(l.t) = predict(o.t) and l.id < o.id',
      ])
      const left = chance(0.25)
      return {
        from: `${tables[0]} as l ${left ? 'left ' : ''}join ${tables[1]} as o on ${left ? pick(['l.k = o.k and o.id > 3', "l.id = o.id and predict(l.t) = 'q'"]) : on}`,
        aliases: [
          { name: 'l', table: tables[0]! },
          { name: 'o', table: tables[1]! },
        ],
      }
    },
  ]
  const { from, aliases } = pick([joinForms[0]!, joinForms[0]!, joinForms[1]!, joinForms[2]!, joinForms[2]!])()

  const number = ({ name, table }: Alias) => `${name}.${table === 'a' ? 'x' : 'z'}`
  const modelAtom = (al: Alias): string =>
    pick([
      () => `predict(${al.name}.t) = ${label()}`,
      () => `predict(${al.name}.t) in (${label()}, ${label()})`,
      () => `predict(${al.name}.t) <> ${label()}`,
      () => `score(${al.name}.t, ${label()}) > 0.37`,
      () => `score(${al.name}.t, ${label()}) between 0.21 and 0.61`,
      () => (al.table === 'b' ? `predict(${al.name}.u) = 'yes'` : `predict(${al.name}.v) > 1.3`),
      () => (al.table === 'b' ? `predict(${al.name}.u) like 'n%'` : `predict(${al.name}.v) between 0.4 and 2.1`),
    ])()
  const dataAtom = (al: Alias): string => pick([`${number(al)} > 0.2`, `${al.name}.k = 2`, `${al.name}.c = 'u'`, `${al.name}.c is null`])
  const subquery = (al: Alias): string =>
    pick([
      `exists (select 1 from b as e where e.k = ${al.name}.k and predict(e.t) = ${label()})`,
      `exists (select 1 from a as e where e.id <> ${al.name}.id and predict(e.t) = predict(${al.name}.t))`,
      `not exists (select 1 from a as e where e.k = ${al.name}.k and predict(e.t) = ${label()} and score(e.t, 'p') < 0.4)`,
      `${al.name}.k in (select e.k from b as e where predict(e.u) = 'no')`,
      `exists (select 1 from b as e join a as f on e.k = f.k where predict(e.t) = predict(f.t) and f.id = ${al.name}.id)`,
    ])
  const condition = (depth: number, nested: boolean): string => {
    const al = pick(aliases)
    const roll = rng.next()
    if (depth > 0 && roll < 0.3) return `(${condition(depth - 1, false)} ${pick(['and', 'or'])} ${condition(depth - 1, false)})`
    if (depth > 0 && roll < 0.38) return `not (${condition(depth - 1, false)})`
    if (nested && roll > 0.88) return subquery(al)
    return roll < 0.75 ? modelAtom(al) : dataAtom(al)
  }
  const value = (): string => {
    const al = pick(aliases)
    return pick([
      () => number(al),
      () => `case when ${condition(1, false)} then ${number(al)} else 1 end`,
      () => `score(${al.name}.t, ${label()})`,
      () => `score(${al.name}.t, ${label()}) * ${number(al)} + 1`,
      () => `ln(1 + score(${al.name}.t, ${label()}))`,
      () => (al.table === 'a' ? `predict(${al.name}.v) * ${number(al)}` : number(al)),
      () => (al.table === 'a' ? `greatest(predict(${al.name}.v), 1)` : `sqrt(0.1 + score(${al.name}.t, 'p'))`),
    ])()
  }
  const linear = (): string =>
    pick([() => 'count(*)', () => `count(${pick(aliases).name}.c)`, () => `sum(${value()})`, () => `count_if(${condition(1, false)})`])()
  const aggregate = (): string => pick([linear, linear, () => `avg(${value()})`, () => `stddev_pop(${value()})`])()
  const output = (): string =>
    pick([
      aggregate,
      aggregate,
      () => `${linear()} + 2 * ${aggregate()}`,
      () => `${linear()} / (1 + ${linear()} * ${linear()})`,
      () => `sqrt(1 + abs(${linear()}))`,
      () => `coalesce(avg(${value()}), 0) - ${linear()}`,
    ])()

  const where = chance(0.8) ? ` where ${condition(2, true)}` : ''
  if (chance(0.12)) {
    const items = chance(0.5) ? `distinct predict(l.t) as g, l.k as kk` : `l.id as i, predict(l.t) as g, ${value()} as n`
    const rows = items.startsWith('distinct')
      ? pick(['no row where kk >= 2', "row where g = 'p' and kk = 9"])
      : pick(['no row where n > 0.3', "no row where g = 'q'", 'lower n'])
    return { query: `select ${items} from ${from}${where}`, expectation: rows }
  }
  const groups = chance(0.6)
    ? pick([
        ['l.c'],
        ['predict(l.t)'],
        [`case when ${condition(1, false)} then 1 else 0 end`],
        ['l.k', 'predict(l.t)'],
        [`${pick(aliases).name}.c`],
      ])
    : []
  const having = chance(0.3)
    ? ` having ${pick(['count(*) > 1', `sum(${value()}) > 0.4`, `avg(${value()}) <= 1.5`, 'count(*) between 1 and 3', 'count(*) <> 2', `count(*) > 0 and ${linear()} > 0.3`, 'not count(*) = 1'])}`
    : ''
  const expectation = chance(groups.length > 0 ? 0.65 : 0.9)
    ? 'lower n'
    : pick(['no row where n > 0.6', 'no row where n between 0.5 and 7.5 or n < -3', 'no row where true'])
  const rows = expectation !== 'lower n'
  const items = [...groups.map((g, i) => `${g} as g${i}`), `${rows ? pick([linear, () => `avg(${value()})`])() : output()} as n`]
  const by = groups.length > 0 ? ` group by ${groups.join(', ')}` : ''
  return { query: `select ${items.join(', ')} from ${from}${where}${by}${having}`, expectation }
}
