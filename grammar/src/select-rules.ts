/** `select … from … where …`, and the references and orders that clauses share with it. */
import type * as ast from './ast.ts'
import { ExpressionRules } from './expression-rules.ts'
import { Comma, Dot } from './vocabulary.ts'

export abstract class SelectRules extends ExpressionRules {
  override readonly select = this.RULE('select', (): ast.Select => {
    const start = this.at()
    this.keyword(1, 'select')
    const distinct = this.OPTION1(() => this.keyword(1, 'distinct')) !== undefined
    const items = this.list(1, Comma, () => this.SUBRULE1(this.selectItem))
    this.keyword(1, 'from')
    const from = this.SUBRULE1(this.tableRef)
    const joins: ast.Join[] = []
    this.MANY1(() => {
      joins.push(this.SUBRULE1(this.join))
    })
    const where = this.OPTION2(() => {
      this.keyword(1, 'where')
      return this.SUBRULE1(this.expression)
    })
    const groupBy = this.OPTION3(() => {
      this.keyword(1, 'group')
      this.keyword(1, 'by')
      return this.list(2, Comma, () => this.SUBRULE2(this.expression))
    })
    const having = this.OPTION4(() => {
      this.keyword(1, 'having')
      return this.SUBRULE3(this.expression)
    })
    const orderBy = this.OPTION5(() => {
      this.keyword(1, 'order')
      this.keyword(2, 'by')
      return this.SUBRULE1(this.orderItems)
    })
    const limit = this.OPTION6(() => {
      this.keyword(1, 'limit')
      const { value, start: first, end } = this.whole(1)
      const number: ast.NumberLiteral = { kind: 'number', value, text: String(value), start: first, end }
      return number
    })
    return {
      distinct,
      items,
      from,
      joins,
      ...(where && { where }),
      groupBy: groupBy ?? [],
      ...(having && { having }),
      orderBy: orderBy ?? [],
      ...(limit && { limit }),
      start,
      end: this.until(),
    }
  })

  private readonly selectItem = this.RULE('selectItem', (): ast.SelectItem => {
    const start = this.at()
    this.starMayFollow = true
    const value = this.SUBRULE(this.expression)
    const alias = this.OPTION(() => {
      this.keyword(1, 'as')
      return this.name(1)
    })
    return { value, ...(alias && { alias }), start, end: this.until() }
  })

  /** A source or one of its splits. */
  readonly ref = this.RULE('ref', (): ast.Ref => {
    const source = this.name(1)
    const split = this.OPTION(() => {
      this.CONSUME(Dot)
      return this.name(2)
    })
    return { source, ...(split && { split }), start: source.start, end: this.until() }
  })

  private readonly tableRef = this.RULE('tableRef', (): ast.TableRef => {
    const ref = this.SUBRULE(this.ref)
    const alias = this.OPTION(() => {
      this.keyword(1, 'as')
      return this.name(1)
    })
    return { ref, ...(alias && { alias }), start: ref.start, end: this.until() }
  })

  private readonly join = this.RULE('join', (): ast.Join => {
    const start = this.at()
    let side: ast.Join['side'] = 'inner'
    this.OPTION1(() => {
      this.OR([
        { ALT: () => this.keyword(1, 'inner') },
        {
          ALT: () => {
            this.keyword(1, 'left')
            this.OPTION2(() => this.keyword(1, 'outer'))
            side = 'left'
          },
        },
      ])
    })
    this.keyword(1, 'join')
    const table = this.SUBRULE(this.tableRef)
    this.keyword(1, 'on')
    const on = this.SUBRULE(this.expression)
    return { side, table, on, start, end: this.until() }
  })

  readonly orderItems = this.RULE('orderItems', (): ast.OrderItem[] =>
    this.list(1, Comma, () => {
      const start = this.at()
      const value = this.SUBRULE(this.expression)
      const order = this.OPTION1(() => this.oneOf(1, 'asc', 'desc'))
      return { value, descending: order === 'desc', start, end: this.until() }
    }),
  )
}
