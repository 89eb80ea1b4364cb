import { basename, dirname } from 'node:path'
import { DataProblem } from './tables.ts'

/** Every sentence about data: what is wrong, where, and what to do. */

const file = (path: string) => `\`${basename(path)}\``
const thousands = (count: number) => count.toLocaleString('en-US').replaceAll(',', ' ')
const many = (count: number, noun: string) => `${thousands(count)} ${noun}${count === 1 ? '' : 's'}`
const shown = (text: string) => (text.length > 60 ? `${text.slice(0, 57)}…` : text)
const didYouMean = (name: string | undefined) => (name === undefined ? '' : ` Did you mean \`${name}\`?`)
const typeRemedy = (column: string) =>
  `with (types: [${/^[\p{L}_][\p{L}\p{N}_]*$/u.test(column) ? column : JSON.stringify(column)}: 'VARCHAR'])`

// ---------------------------------------------------------------- files

export function missingFile(path: string, near: string | undefined): DataProblem {
  return new DataProblem('missing-file', `There is no file ${file(path)} in ${dirname(path)}.${didYouMean(near)}`, near)
}
export function nothingMatches(glob: string): DataProblem {
  return new DataProblem('missing-file', `No file matches ${glob}. Mend the pattern: * stands for any characters, ** for any folders.`)
}
export function isFolder(path: string): DataProblem {
  return new DataProblem(
    'missing-file',
    `${path} is a folder. Name a file, or say \`${path}/*.csv\` for all of its files.`,
    `${path}/*.csv`,
  )
}
export function remoteFile(url: string): DataProblem {
  return new DataProblem(
    'remote-file',
    `${url} is not a file on this machine, and nothing is read over the network. Download it and name the file.`,
  )
}
export function emptyFile(path: string): DataProblem {
  return new DataProblem('empty-file', `${file(path)} is empty. Name a file with a header and rows.`)
}
export function noRows(path: string): DataProblem {
  return new DataProblem('no-rows', `${file(path)} holds a header and no rows. Name a file with rows.`)
}
export function unreadable(path: string, why: string): DataProblem {
  return new DataProblem('unreadable-file', `${file(path)} cannot be read: ${why}.`)
}
export function notGzip(path: string): DataProblem {
  return new DataProblem(
    'not-gzip',
    `${file(path)} ends in .gz and is not a gzip file, or is damaged. Fetch it again, or rename it if it is not compressed.`,
  )
}
export function notParquet(path: string): DataProblem {
  return new DataProblem(
    'not-parquet',
    `${file(path)} is not a Parquet file, or was cut short. Fetch it again, or name its format: \`with (format: csv)\`.`,
    'with (format: csv)',
  )
}
export function reservedColumn(path: string, column: string): DataProblem {
  return new DataProblem(
    'reserved-column',
    `${file(path)} has a column called \`${column}\`, a name that is kept for row positions. Rename the column.`,
  )
}

// ---------------------------------------------------------------- text formats

export function wrongDelimiter(path: string, delimiter: string, columns: number): DataProblem {
  const written = delimiter === '\t' ? '\\t' : delimiter
  const word = delimiter === '\t' ? 'a tab' : `\`${delimiter}\``
  return new DataProblem(
    'wrong-delimiter',
    `${file(path)} was read as a single column, but each of its first lines holds ${many(columns, 'value')} separated by ${word}. Say \`with (delim: '${written}')\`.`,
    `with (delim: '${written}')`,
  )
}
export function raggedLines(path: string, delimiter: string, header: number, line: number, found: number): DataProblem {
  const word = delimiter === '\t' ? 'tab' : `\`${delimiter}\``
  return new DataProblem(
    'ragged-lines',
    `${file(path)} was read as a single column, because its lines do not hold the same number of values: ${many(header, 'value')} separated by ${word} in line 1, ${found} in line ${line}. Mend the line, or name the right delimiter: \`with (delim: '…')\`.`,
  )
}
export function skippedLines(path: string, delimiter: string, usual: number, columns: number): DataProblem {
  const word = delimiter === '\t' ? 'tabs' : `\`${delimiter}\``
  return new DataProblem(
    'ragged-lines',
    `The lines of ${file(path)} do not hold the same number of values: the first ones hold ${usual} separated by ${word}, and only lines with ${columns} could be read together. Mend the lines that differ, or say how many lines at the head are none of the table’s: \`with (skip: 1)\`.`,
  )
}
export function raggedRow(path: string, line: number, expected: string, found: string): DataProblem {
  return new DataProblem(
    'ragged-row',
    `${file(path)}, line ${thousands(line)}: ${found} values where ${expected} are expected. Mend the line, or name the quote or the delimiter that the file uses: \`with (quote: '…', delim: '…')\`.`,
  )
}
export function mixedType(path: string, place: string, value: string, column: string, type: string): DataProblem {
  const remedy = typeRemedy(column)
  return new DataProblem(
    'mixed-type',
    `${file(path)}, ${place}: \`${shown(value)}\` in column \`${column}\` is not a ${type}, which the column's first values are. Mend the value, or say \`${remedy}\`; \`sample_size: -1\` looks at all rows before it decides.`,
    remedy,
  )
}
export function unreadableValue(path: string, place: string, why: string): DataProblem {
  return new DataProblem(
    'mixed-type',
    `${file(path)}, ${place}: ${why}, unlike the first rows. Mend the value, or say \`with (sample_size: -1)\` to look at all rows before deciding on types.`,
    'with (sample_size: -1)',
  )
}
export function notUtf8(path: string, line: number | undefined): DataProblem {
  const place = line === undefined ? '' : `, line ${thousands(line)}`
  return new DataProblem(
    'wrong-encoding',
    `${file(path)}${place}: these bytes are not UTF-8. Say \`with (encoding: 'latin-1')\`, or save the file as UTF-8.`,
    "with (encoding: 'latin-1')",
  )
}
export function unknownEncoding(path: string, encoding: string): DataProblem {
  return new DataProblem(
    'unknown-encoding',
    `${file(path)} cannot be read as \`${encoding}\`. The encodings are utf-8, utf-16 and latin-1.`,
  )
}
export function malformedLine(path: string, line: number, why: string): DataProblem {
  return new DataProblem('malformed-line', `${file(path)}, line ${thousands(line)}: ${why}.`)
}
export function malformedJson(path: string, place: string, why: string): DataProblem {
  return new DataProblem('malformed-json', `${file(path)}, ${place}: this is not JSON (${why}). Mend it, or name the file's format.`)
}
export function notSniffed(path: string): DataProblem {
  return new DataProblem(
    'not-sniffed',
    `The shape of ${file(path)} could not be found out. Name its delimiter and quote: \`with (delim: ',', quote: '"', header: true)\`.`,
    `with (delim: ',', quote: '"', header: true)`,
  )
}
export function schemaMismatch(first: string, other: string, columns: readonly string[]): DataProblem {
  return new DataProblem(
    'schema-mismatch',
    `${file(other)} does not have the columns of ${file(first)}: ${columns.map((name) => `\`${name}\``).join(', ')} ${columns.length === 1 ? 'is' : 'are'} missing. Files read together must have the same columns.`,
  )
}
export function unknownOption(format: string, option: string, near: string | undefined): DataProblem {
  return new DataProblem('unknown-option', `A ${format} file is not read with \`${option}\`.${didYouMean(near)}`, near)
}
export function unknownTypesColumn(path: string, columns: string, near: string | undefined): DataProblem {
  return new DataProblem('unknown-column', `\`types\` names ${columns}, which ${file(path)} does not have.${didYouMean(near)}`, near)
}
export function unknownType(type: string, near: string | undefined): DataProblem {
  return new DataProblem(
    'unknown-type',
    `There is no type \`${type}\`.${didYouMean(near)} Types are named as in SQL: VARCHAR, BIGINT, DOUBLE, DATE, TIMESTAMP, BOOLEAN.`,
    near,
  )
}

// ---------------------------------------------------------------- idx

export function notIdx(path: string, found: string): DataProblem {
  return new DataProblem(
    'not-idx',
    `${file(path)} is not an IDX file of bytes: it begins with ${found}, where 00 00 08 and the number of dimensions are expected.`,
  )
}
export function idxDimensions(path: string, what: 'images' | 'labels', dimensions: number): DataProblem {
  const expected = what === 'images' ? 'two or more dimensions (rows, height, width)' : 'one dimension'
  return new DataProblem(
    'idx-dimensions',
    `${file(path)} has ${many(dimensions, 'dimension')}; a file of ${what} has ${expected}. Were \`images\` and \`labels\` exchanged?`,
  )
}
export function idxTruncated(path: string, expected: number, found: number): DataProblem {
  return new DataProblem(
    'idx-truncated',
    `${file(path)} was cut short: its header promises ${thousands(expected)} bytes, and there are ${thousands(found)}. Fetch it again.`,
  )
}
export function idxTooLong(path: string, expected: number, found: number): DataProblem {
  return new DataProblem(
    'idx-too-long',
    `${file(path)} holds ${thousands(found)} bytes, where its header promises ${thousands(expected)}. Fetch it again.`,
  )
}
export function idxCounts(images: string, nImages: number, labels: string, nLabels: number): DataProblem {
  return new DataProblem(
    'idx-counts',
    `${file(images)} holds ${many(nImages, 'image')} and ${file(labels)} ${many(nLabels, 'label')}. Name the two files of one data set.`,
  )
}

// ---------------------------------------------------------------- statements

export function unknownColumn(column: string, near: string | undefined): DataProblem {
  return new DataProblem('unknown-column', `There is no column \`${column}\`.${didYouMean(near)}`, near)
}
export function unknownTable(table: string, near: string | undefined): DataProblem {
  return new DataProblem('unknown-table', `There is no table \`${table}\`.${didYouMean(near)}`, near)
}
export function unknownFunction(name: string, near: string | undefined): DataProblem {
  return new DataProblem('unknown-function', `There is no function \`${name}\`.${didYouMean(near)}`, near)
}
export function wrongArguments(call: string): DataProblem {
  return new DataProblem(
    'wrong-arguments',
    `No function fits \`${call}\`. Give arguments of another number or type, or cast them: \`cast(x as DOUBLE)\`.`,
  )
}
export function notConverted(value: string, type: string): DataProblem {
  return new DataProblem(
    'not-converted',
    `\`${shown(value)}\` cannot be read as ${type}. Mend the value, or compare it as text: \`cast(x as VARCHAR)\`.`,
  )
}
export function outOfMemory(): DataProblem {
  return new DataProblem(
    'out-of-memory',
    'The data do not fit into the memory that the database may use. Read fewer columns or rows, or raise the limit.',
  )
}
export function diskFull(): DataProblem {
  return new DataProblem('disk-full', 'The database ran out of disk space for its temporary files. Make room there.')
}
export function databaseSays(sentence: string): DataProblem {
  return new DataProblem('database', `The database could not do this: ${sentence.replace(/\.?$/, '.')}`)
}
export function databaseMissing(why: string): DataProblem {
  return new DataProblem(
    'database-missing',
    `The database (DuckDB) cannot be loaded: ${why}. Install the package again on this machine: \`npm ci\`.`,
  )
}

// ---------------------------------------------------------------- features and labels

export function noTrainingRows(): DataProblem {
  return new DataProblem('no-training-rows', 'There are no training rows. Widen the training split.')
}
export function allNull(column: string, rows: number): DataProblem {
  return new DataProblem(
    'all-null',
    `\`${column}\` is NULL in all ${many(rows, 'training row')}. Leave it out of \`from\`, or check how the file is read (nullstr, types).`,
  )
}
export function allConstant(columns: readonly string[], rows: number): DataProblem {
  const names = columns.map((name) => `\`${name}\``).join(', ')
  return new DataProblem(
    'all-constant',
    `${names}: no feature varies over the ${many(rows, 'training row')}, so there is nothing to learn from. Add features to \`from\`.`,
  )
}
export function tooManyCategories(column: string, categories: number, rows: number, most: number): DataProblem {
  return new DataProblem(
    'too-many-categories',
    `\`${column}\` has ${thousands(categories)} different values in ${many(rows, 'training row')}; each would be a feature of its own, and ${thousands(most)} are the most. Leave it out of \`from\`, or group its values in a view.`,
  )
}
export function tooWide(rows: number, width: number, gibibytes: number): DataProblem {
  return new DataProblem(
    'too-wide',
    `${many(rows, 'row')} of ${many(width, 'feature')} need more than ${gibibytes} GiB. Use fewer rows, or features with fewer categories.`,
  )
}
export function notAFeature(column: string, type: string): DataProblem {
  return new DataProblem(
    'not-a-feature',
    `\`${column}\` holds values of type ${type}, which cannot be a feature. Turn it into a number, a text or an image in a view.`,
  )
}
export function hugeNumbers(column: string): DataProblem {
  return new DataProblem(
    'huge-numbers',
    `The values of \`${column}\` are too large to be averaged. Scale them in a view, by \`ln(x)\` for example.`,
  )
}
export function notADate(column: string, value: string): DataProblem {
  return new DataProblem(
    'not-a-date',
    `\`${shown(value)}\` in \`${column}\` is not a date. Cast the column in a view, or read it with \`dateformat\`.`,
  )
}
export function noImage(column: string, row: number): DataProblem {
  return new DataProblem(
    'no-image',
    `\`${column}\` is NULL or empty in row ${thousands(row)} (counted from 0). Filter rows without an image.`,
  )
}
export function imageSize(column: string, row: number, expected: number, found: number): DataProblem {
  return new DataProblem(
    'image-size',
    `\`${column}\`: the image in row ${thousands(row)} (counted from 0) has ${thousands(found)} bytes, the first has ${thousands(expected)}. All images must be of one size.`,
  )
}
export function emptyEmbedding(): DataProblem {
  return new DataProblem('embedding', 'The embeddings of the training rows are empty lists. Name a column that holds numbers.')
}
export function constantEmbedding(rows: number): DataProblem {
  return new DataProblem(
    'all-constant',
    `All ${many(rows, 'training row')} have the same embedding, so there is nothing to learn from. Was the model that made them given different inputs?`,
  )
}
export function missingFeature(column: string): DataProblem {
  return new DataProblem('missing-feature', `The rows have no column \`${column}\`, which the model was trained on. Add it to the source.`)
}
export function changedFeature(column: string, expected: string, found: string): DataProblem {
  return new DataProblem(
    'changed-feature',
    `\`${column}\` holds ${found} here and held ${expected} when the model was trained. Cast it in a view.`,
  )
}
export function oneClass(label: string, value: string): DataProblem {
  return new DataProblem(
    'one-class',
    `The label \`${label}\` is \`${shown(value)}\` in every training row. A model needs two classes at least: widen the training split.`,
  )
}
export function constantTarget(label: string, value: number): DataProblem {
  return new DataProblem(
    'one-class',
    `The target \`${label}\` is ${value} in every training row, so there is nothing to learn. Widen the training split.`,
  )
}
export function nullLabel(label: string, missing: number, rows: number): DataProblem {
  return new DataProblem(
    'null-label',
    `The label \`${label}\` is NULL in ${thousands(missing)} of ${many(rows, 'training row')}. Leave these out of the training split: \`split train where "${label.replaceAll('"', '""')}" is not null\`.`,
  )
}
export function tooManyClasses(label: string, classes: number, rows: number, numeric: 'number' | 'text'): DataProblem {
  const remedy =
    numeric === 'number'
      ? 'That is a number to predict and no class: use `kind linear`, or bin it in a view.'
      : 'Group its values in a view.'
  return new DataProblem(
    'too-many-classes',
    `The label \`${label}\` has ${thousands(classes)} different values in ${many(rows, 'training row')}. ${remedy}`,
  )
}
export function notATarget(label: string, what: string): DataProblem {
  return new DataProblem(
    'not-a-target',
    `The target \`${label}\` holds ${what}; a number is needed for this kind of model. Use \`kind logistic\`, or cast it in a view.`,
  )
}

// ---------------------------------------------------------------- keys and splits

export function duplicateKey(source: string, key: string, rows: number): DataProblem {
  return new DataProblem(
    'duplicate-key',
    `${many(rows, 'row')} of \`${source}\` have the key ${key}. Declare columns that tell rows apart, or no \`key\` at all.`,
  )
}
export function nullKey(source: string, rows: number): DataProblem {
  return new DataProblem(
    'null-key',
    `The key of \`${source}\` is NULL in ${many(rows, 'row')}. Declare columns that are never NULL, or no \`key\` at all.`,
  )
}
export function overlappingSplits(source: string, key: string, splits: readonly string[], rows: number): DataProblem {
  const names = splits.map((name) => `\`${name}\``).join(' and ')
  const others = rows > 1 ? `, and ${many(rows - 1, 'row')} more ${rows === 2 ? 'is' : 'are'} in two splits` : ''
  return new DataProblem(
    'overlapping-splits',
    `The row with key ${key} of \`${source}\` is in the splits ${names}${others}. Make their conditions exclude each other.`,
  )
}
