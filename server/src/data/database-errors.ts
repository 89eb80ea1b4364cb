import { nearest } from './nearest.ts'
import * as problem from './problems.ts'
import { DataProblem, Interrupted } from './tables.ts'

/** What the failing statement was about, for sentences that name a file. */
export interface ErrorContext {
  /** First file of the reading; messages that name another one win. */
  readonly path?: string
}

/**
 * The database's error as a sentence. Its messages are many lines with a kind in front (`Binder Error: …`), the advice written for people
 * who type SQL; what is not recognised is reduced to its first line.
 */
export function toProblem(error: unknown, context: ErrorContext = {}): Error {
  if (error instanceof DataProblem || error instanceof Interrupted) return error
  const text = error instanceof Error ? error.message : String(error)
  if (/^INTERRUPT Error/.test(text)) return new Interrupted('The statement was stopped')
  const file = /^ {2}file = (.+)$/m.exec(text)?.[1] ?? /in file "([^"]+)"/.exec(text)?.[1] ?? context.path
  return (file === undefined ? undefined : fileError(text, file)) ?? statementError(text) ?? problem.databaseSays(firstLine(text))
}

function fileError(text: string, path: string): DataProblem | undefined {
  let found: RegExpExecArray | null
  if (/not a GZIP stream|GZIP|gzip/.test(text)) return problem.notGzip(path)
  if (/No magic bytes|too small to be a Parquet|Invalid Parquet|not a Parquet|[Pp]arquet file.*(corrupt|metadata)|Footer length/.test(text))
    return problem.notParquet(path)
  if (/COLUMN_TYPES error: Columns with names: (.+?) do not exist/.test(text))
    return problem.unknownTypesColumn(path, quotedNames(text), undefined)
  if ((found = /does not support the encoding: "(.*?)"/.exec(text))) return problem.unknownEncoding(path, found[1]!)
  if (/not possible to automatically detect|Error when sniffing/.test(text)) return problem.notSniffed(path)
  if (/Schema mismatch between globbed files/.test(text)) return schemaMismatch(text)
  return csvError(text, path) ?? jsonError(text, path)
}

function csvError(text: string, path: string): DataProblem | undefined {
  const at = /CSV Error on Line: (\d+)/.exec(text)
  if (/[Ii]nvalid unicode|not utf-8 encoded/.test(text)) return problem.notUtf8(path, at ? Number(at[1]) : undefined)
  if (!at) return undefined
  const line = Number(at[1])
  const value = /Error when converting column "([\s\S]*?)"\. Could not convert string "([\s\S]*?)" to '(.+?)'/.exec(text)
  if (value) return problem.mixedType(path, `line ${thousands(line)}`, value[2]!, value[1]!, value[3]!)
  const other = /Error when converting column "([\s\S]*?)"\. (.*)$/m.exec(text)
  if (other) return problem.unreadableValue(path, `line ${thousands(line)}`, `column \`${other[1]}\`: ${lower(other[2]!)}`)
  const columns = /Expected Number of Columns: (\d+) Found: (\d+)/.exec(text)
  if (columns) return problem.raggedRow(path, line, columns[1]!, columns[2]!)
  if (/[Vv]alue with unterminated quote|unterminated quote/.test(text))
    return problem.malformedLine(path, line, "a quote is opened and never closed. Close it, or name the quote: `with (quote: '')`")
  if (/Maximum line size/.test(text))
    return problem.malformedLine(
      path,
      line,
      'the line is longer than 2 MB, so a quote is probably never closed. Close it, or name the quote',
    )
  const why = text.split('\n').find((part) => !/^(?:\w+ Error: )*CSV Error on Line|^Original Line|^\s*$/.test(part))
  return problem.malformedLine(path, line, lower(why ?? 'it cannot be read').replace(/\.$/, ''))
}

function jsonError(text: string, path: string): DataProblem | undefined {
  const malformed = /Malformed JSON in file "[^"]*",? (?:at byte \d+ in )?(line|record\/value) (\d+): ([^\n]*)/.exec(text)
  if (malformed) {
    const place = malformed[1] === 'line' ? 'line' : 'value'
    return problem.malformedJson(path, `${place} ${thousands(Number(malformed[2]))}`, malformed[3]!.trim().replace(/\.$/, ''))
  }
  const transform = /JSON transform error in file "[^"]*", in (line|record\/value) (\d+): ([^\n]*)/.exec(text)
  if (transform)
    return problem.unreadableValue(
      path,
      `${transform[1] === 'line' ? 'line' : 'value'} ${thousands(Number(transform[2]))}`,
      lower(transform[3]!.trim().replace(/\.$/, '')),
    )
  if (/[Mm]alformed JSON|JSON/.test(text) && /^Invalid Input Error/.test(text))
    return problem.malformedJson(path, 'somewhere', lower(firstLine(text)).replace(/\.$/, ''))
  return undefined
}

function statementError(text: string): DataProblem | undefined {
  let found: RegExpExecArray | null
  if (/^Out of Memory Error/.test(text)) return /disk|max_temp_directory_size/.test(text) ? problem.diskFull() : problem.outOfMemory()
  if ((found = /Referenced column "(.*?)" (?:was )?not found|does not have a column named "(.*?)"/.exec(text))) {
    const name = found[1] ?? found[2]!
    const candidates = /Candidate bindings: (.+)/.exec(text)?.[1] ?? ''
    return problem.unknownColumn(
      name,
      nearest(
        name,
        quotedList(candidates).map((candidate) => candidate.replace(/^.*\./, '')),
      ),
    )
  }
  if ((found = /Table with name (.+?) does not exist/.exec(text))) return problem.unknownTable(found[1]!, suggested(text, found[1]!))
  if ((found = /Function with name (.+?) does not exist/.exec(text))) return problem.unknownFunction(found[1]!, suggested(text, found[1]!))
  if ((found = /Type with name (.+?) does not exist/.exec(text))) return problem.unknownType(found[1]!, nearest(found[1]!, TYPES))
  if ((found = /No function matches the given name and argument types '([^']+)'/.exec(text)))
    return problem.wrongArguments(found[1]!.replaceAll('STRING_LITERAL', 'VARCHAR').replaceAll('INTEGER_LITERAL', 'INTEGER'))
  if ((found = /Could not convert string ['"]([\s\S]*?)['"] to '?(\w+)'?/.exec(text)))
    return problem.notConverted(found[1]!, STORED_AS[found[2]!] ?? found[2]!)
  if ((found = /invalid (date|timestamp) field format: "([\s\S]*?)"/.exec(text)))
    return problem.notConverted(found[2]!, found[1]!.toUpperCase())
  return undefined
}

const TYPES = [
  'VARCHAR',
  'BOOLEAN',
  'TINYINT',
  'SMALLINT',
  'INTEGER',
  'BIGINT',
  'HUGEINT',
  'FLOAT',
  'DOUBLE',
  'DECIMAL',
  'DATE',
  'TIME',
  'TIMESTAMP',
  'INTERVAL',
  'BLOB',
]
/** Conversions fail with the name of how a type is stored. */
const STORED_AS: Readonly<Record<string, string>> = {
  INT8: 'TINYINT',
  INT16: 'SMALLINT',
  INT32: 'INTEGER',
  INT64: 'BIGINT',
  INT128: 'HUGEINT',
  BOOL: 'BOOLEAN',
}

function schemaMismatch(text: string): DataProblem {
  const first = /^Main file schema: (.+)$/m.exec(text)?.[1] ?? 'the first file'
  const other = /^Current file: (.+)$/m.exec(text)?.[1] ?? 'another file'
  const missing = [...text.matchAll(/^Column with name: "(.*)" is missing$/gm)].map((match) => match[1]!)
  return problem.schemaMismatch(first, other, missing)
}

/** The database suggests any name at all; ours must be near. */
function suggested(text: string, name: string): string | undefined {
  const candidate = /Did you mean "(.+?)"/.exec(text)?.[1]
  return candidate === undefined ? undefined : nearest(name, [candidate])
}

function quotedList(text: string): string[] {
  return [...text.matchAll(/"((?:[^"]|"")*)"/g)].map((match) => match[1]!)
}
function quotedNames(text: string): string {
  return quotedList(/Columns with names: (.+?) do not exist/.exec(text)?.[1] ?? '')
    .map((name) => `\`${name}\``)
    .join(', ')
}
function firstLine(text: string): string {
  return text
    .split('\n')[0]!
    .replace(/^(?:[A-Z]\w*(?: \w+){0,2} Error: )+/, '')
    .trim()
}
function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1)
}
function thousands(count: number): string {
  return count.toLocaleString('en-US').replaceAll(',', ' ')
}
