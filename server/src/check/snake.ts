import type { Schema } from '../sql/tree.ts'
import { fold } from './names.ts'
import type { SourceColumn } from './spec.ts'

/** `Petal Length (cm)` → `petal_length_cm`, `nRows` → `n_rows`; equal ones are numbered. Letters of every script stay. */
export function snakeColumns(schema: Schema): SourceColumn[] {
  const taken = new Set<string>()
  return schema.map((column) => {
    const wanted = snakeName(column.name)
    let name = wanted
    for (let i = 2; taken.has(fold(name)); i++) name = `${wanted}_${i}`
    taken.add(fold(name))
    return name === column.name ? column : { ...column, name, from: column.name }
  })
}

function snakeName(name: string): string {
  const words = name
    .replace(/(\p{Ll}|\p{Nd})(\p{Lu})/gu, '$1_$2')
    .replace(/(\p{Lu})(\p{Lu}\p{Ll})/gu, '$1_$2')
    .replace(/[^\p{L}\p{Nd}\p{M}]+/gu, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase()
  if (words === '') return 'column'
  return /^\p{Nd}/u.test(words) ? `_${words}` : words
}
