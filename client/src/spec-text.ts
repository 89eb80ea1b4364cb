import { posix } from 'node:path'

/** A first spec over a file of data. `data` is its path as the language writes paths, with slashes. */
export function specText(data: string | undefined): string {
  const path = data ?? 'data.csv'
  const name = nameFor(posix.basename(path))
  return `source ${name} {
  from '${path.replaceAll("'", "''")}'
}

--- What must hold of every row.
assert sound on ${name} {
  each    row
  require true
  fail    above 0%
}
`
}

/** A path from a spec's folder, with slashes; absolute where the two have no root in common, as on two drives. */
export function pathFrom(folder: string, file: string): string {
  const [from, to] = [folder, file].map((path) => path.replaceAll('\\', '/').replace(/\/+$/, ''))
  const driveOf = (path: string) => /^([a-z]):/i.exec(path)?.[1]?.toLowerCase() ?? ''
  if (driveOf(from!) !== driveOf(to!)) return to!
  const plain = (path: string) => path.replace(/^[a-z]:/i, '')
  return posix.relative(plain(from!), plain(to!))
}

function nameFor(file: string): string {
  const name = file
    .replace(/\.[^.]*$/, '')
    .replace(/[^\p{L}\p{M}\p{N}_]+/gu, '_')
    .replace(/^_+|_+$/g, '')
  if (name === '') return 'data'
  // Names of the language may be anything between double quotes.
  return /^[\p{L}_]/u.test(name) ? name : `data_${name}`
}
