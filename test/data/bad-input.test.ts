import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { ReadingOption } from '../../server/src/sql/tree.ts'
import { fileReading, mnist, place, problemOf, samples } from './support.ts'

const here = place()

const lines = (count: number, line: (i: number) => string) => `${Array.from({ length: count }, (_, i) => line(i)).join('\n')}\n`

describe('a file that cannot be what it is said to be', () => {
  const table: [string, string | Uint8Array, Record<string, ReadingOption>, string][] = [
    ['empty.csv', '', {}, 'empty-file: `empty.csv` is empty. Name a file with a header and rows.'],
    ['header.csv', 'a,b,c\n', {}, 'no-rows: `header.csv` holds a header and no rows. Name a file with rows.'],
    [
      'semicolons.csv',
      'a;b;c\n1;2;3\n4;5;6\n',
      { delim: ',' },
      "wrong-delimiter: `semicolons.csv` was read as a single column, but each of its first lines holds 3 values separated by `;`. Say `with (delim: ';')`.",
    ],
    [
      'tabs.csv',
      'a\tb\n1\t2\n',
      { delim: ',' },
      "wrong-delimiter: `tabs.csv` was read as a single column, but each of its first lines holds 2 values separated by a tab. Say `with (delim: '\\t')`.",
    ],
    [
      'commas.tsv',
      'a,b\n1,2\n',
      {},
      "wrong-delimiter: `commas.tsv` was read as a single column, but each of its first lines holds 2 values separated by `,`. Say `with (delim: ',')`.",
    ],
    [
      'ragged.csv',
      'a,b\n1,2\n1,2,3\n4,5\n',
      {},
      "ragged-lines: `ragged.csv` was read as a single column, because its lines do not hold the same number of values: 2 values separated by `,` in line 1, 3 in line 3. Mend the line, or name the right delimiter: `with (delim: '…')`.",
    ],
    [
      'preamble.csv',
      `a,b,y\n${lines(50, (i) => `${i},${i * 2},x`)}1,2\n3,4,x,5\n`,
      {},
      'ragged-lines: The lines of `preamble.csv` do not hold the same number of values: the first ones hold 3 separated by `,`, and only lines with 4 could be read together. Mend the lines that differ, or say how many lines at the head are none of the table’s: `with (skip: 1)`.',
    ],
    [
      'late.csv',
      `x,y\n${lines(40_000, (i) => `${i},${i * 2}`)}oops,3\n${lines(10_000, (i) => `${i},1`)}`,
      {},
      "mixed-type: `late.csv`, line 40 002: `oops` in column `x` is not a BIGINT, which the column's first values are. Mend the value, or say `with (types: [x: 'VARCHAR'])`; `sample_size: -1` looks at all rows before it decides.",
    ],
    [
      'odd name.csv',
      `"odd ""name",y\n${lines(30_000, (i) => `${i},1`)}x,1\n`,
      {},
      'mixed-type: `odd name.csv`, line 30 002: `x` in column `odd "name` is not a BIGINT, which the column\'s first values are. Mend the value, or say `with (types: ["odd \\"name": \'VARCHAR\'])`; `sample_size: -1` looks at all rows before it decides.',
    ],
    [
      'late-ragged.csv',
      `x,y\n${lines(40_000, (i) => `${i},1`)}1,2,3\n`,
      {},
      "ragged-row: `late-ragged.csv`, line 40 002: 3 values where 2 are expected. Mend the line, or name the quote or the delimiter that the file uses: `with (quote: '…', delim: '…')`.",
    ],
    [
      'latin.csv',
      Buffer.from(`a,b\n${lines(30_000, () => 'x,1')}caf\xe9,1\n`, 'latin1'),
      {},
      "wrong-encoding: `latin.csv`, line 30 002: these bytes are not UTF-8. Say `with (encoding: 'latin-1')`, or save the file as UTF-8.",
    ],
    [
      'plain.csv.gz',
      'a,b\n1,2\n',
      {},
      'not-gzip: `plain.csv.gz` ends in .gz and is not a gzip file, or is damaged. Fetch it again, or rename it if it is not compressed.',
    ],
    [
      'cut.csv.gz',
      gzipSync(lines(20_000, (i) => `${i},${i * 7919}`)).subarray(0, 20_000),
      {},
      'not-gzip: `cut.csv.gz` ends in .gz and is not a gzip file, or is damaged. Fetch it again, or rename it if it is not compressed.',
    ],
    [
      'text.parquet',
      'this is no parquet file',
      {},
      'not-parquet: `text.parquet` is not a Parquet file, or was cut short. Fetch it again, or name its format: `with (format: csv)`.',
    ],
    [
      'tiny.parquet',
      'x',
      {},
      'not-parquet: `tiny.parquet` is not a Parquet file, or was cut short. Fetch it again, or name its format: `with (format: csv)`.',
    ],
    [
      'bad.json',
      '[{"a":1},{"a":',
      {},
      "malformed-json: `bad.json`, value 3: this is not JSON (unexpected end of data). Mend it, or name the file's format.",
    ],
    [
      'bad.jsonl',
      '{"a":1}\n{"a":\n{"a":3}\n',
      {},
      "malformed-json: `bad.jsonl`, line 3: this is not JSON (unexpected end of data). Mend it, or name the file's format.",
    ],
    [
      'late.jsonl',
      `${lines(40_000, (i) => JSON.stringify({ x: i }))}{"x":"oops"}\n`,
      {},
      'mixed-type: `late.jsonl`, line 40 001: failed to cast value to numerical: "oops", unlike the first rows. Mend the value, or say `with (sample_size: -1)` to look at all rows before deciding on types.',
    ],
    ['options.csv', 'a,b\n1,2\n', { delimm: ';' }, 'unknown-option: A csv file is not read with `delimm`. Did you mean `delim`?'],
    ['options.json', '[{"a":1}]', { delim: ';' }, 'unknown-option: A json file is not read with `delim`.'],
    ['types.csv', 'a,b\n1,2\n', { types: { c: 'VARCHAR' } }, 'unknown-column: `types` names `c`, which `types.csv` does not have.'],
    [
      'types.json',
      '[{"aaaa":1}]',
      { types: { aaab: 'VARCHAR' } },
      'unknown-column: `types` names `aaab`, which `types.json` does not have. Did you mean `aaaa`?',
    ],
    [
      'type.csv',
      'a,b\n1,2\n',
      { types: { a: 'VARCHA' } },
      'unknown-type: There is no type `VARCHA`. Did you mean `VARCHAR`? Types are named as in SQL: VARCHAR, BIGINT, DOUBLE, DATE, TIMESTAMP, BOOLEAN.',
    ],
    [
      'encoding.csv',
      'a,b\n1,2\n',
      { encoding: 'koi8' },
      'unknown-encoding: `encoding.csv` cannot be read as `koi8`. The encodings are utf-8, utf-16 and latin-1.',
    ],
    [
      'reserved.csv',
      'a,Assay Row\n1,2\n',
      {},
      'reserved-column: `reserved.csv` has a column called `Assay Row`, a name that is kept for row positions. Rename the column.',
    ],
  ]
  it.each(table)('%s', async (name, content, options, sentence) => {
    expect(await problemOf(here.tables.read('t', fileReading(here.write(name, content), options)))).toBe(sentence)
  })

  it.each(['header.csv', 'semicolons.csv', 'ragged.csv', 'tiny.parquet', 'empty.csv'])(
    '%s: seen as soon as it is described',
    async (name) => {
      const [, content, options] = table.find((row) => row[0] === name)!
      await problemOf(here.tables.describe(fileReading(here.write(name, content), options)))
    },
  )

  it('what a sentence advises helps', async () => {
    const late = here.write('late.csv', table.find((row) => row[0] === 'late.csv')![1])
    await here.tables.read('t', fileReading(late, { types: { x: 'VARCHAR' } }))
    await here.tables.read('t', fileReading(late, { sample_size: -1 }))
    const semicolons = here.write('semicolons.csv', 'a;b;c\n1;2;3\n')
    await here.tables.read('t', fileReading(semicolons, { delim: ';' }))
  })

  it('prose with commas is a column like any other', async () => {
    const path = here.write('prose.csv', 'sentence\n"well, yes"\n"no"\n')
    expect(await here.tables.describe(fileReading(path))).toHaveLength(1)
  })
})

describe('a path that leads nowhere', () => {
  it('names a file of nearly that name', async () => {
    expect(await problemOf(here.tables.describe(fileReading(join(samples, 'diamond.csv'))))).toBe(
      `missing-file: There is no file \`diamond.csv\` in ${samples}. Did you mean \`diamonds.csv\`?`,
    )
  })
  it('suggests nothing where nothing is near', async () => {
    const path = join(here.folder, 'zzzzzzzzz.csv')
    expect(await problemOf(here.tables.read('t', fileReading(path)))).toBe(
      `missing-file: There is no file \`zzzzzzzzz.csv\` in ${here.folder}.`,
    )
  })
  it('a glob without files, a folder, an address', async () => {
    expect(await problemOf(here.tables.read('t', fileReading(join(here.folder, 'none-*.csv'))))).toMatch(
      /^missing-file: No file matches .*none-\*\.csv\. Mend/,
    )
    mkdirSync(join(here.folder, 'folder.csv'), { recursive: true })
    expect(await problemOf(here.tables.read('t', fileReading(join(here.folder, 'folder.csv'))))).toMatch(
      /^missing-file: .*folder\.csv is a folder\./,
    )
    expect(await problemOf(here.tables.read('t', fileReading('https://example.org/a.csv')))).toMatch(
      /^remote-file: .*nothing is read over the network/,
    )
  })
  it('files of different columns', async () => {
    here.write('mixed/a.csv', 'a,b\n1,2\n')
    here.write('mixed/b.csv', 'x,y\n1,2\n')
    expect(await problemOf(here.tables.read('t', fileReading(join(here.folder, 'mixed/*.csv'))))).toBe(
      'schema-mismatch: `b.csv` does not have the columns of `a.csv`: `a`, `b` are missing. Files read together must have the same columns.',
    )
  })
})

describe('IDX', () => {
  const images = readFileSync(join(mnist, 't10k-images-idx3-ubyte')).subarray(0, 16 + 784 * 10)
  images.writeUInt32BE(10, 4)
  const labels = readFileSync(join(mnist, 't10k-labels-idx1-ubyte')).subarray(0, 8 + 10)
  labels.writeUInt32BE(10, 4)
  const nine = Buffer.from(labels.subarray(0, 17))
  nine.writeUInt32BE(9, 4)
  const read = (first: Uint8Array, second?: Uint8Array, ending = '') => {
    const reading = {
      kind: 'idx',
      images: here.write(`images${ending}`, first),
      labels: second && here.write(`labels${ending}`, second),
    } as const
    return [here.tables.describe(reading), here.tables.read('t', reading)] as const
  }
  const both = async ([described, done]: readonly [Promise<unknown>, Promise<unknown>]) => {
    const [first, second] = await Promise.all([problemOf(described), problemOf(done)])
    expect(first).toBe(second)
    return first
  }

  it('is read, gz or not, with labels or without', async () => {
    for (const [first, second, ending] of [
      [images, labels, ''],
      [gzipSync(images), gzipSync(labels), '.gz'],
    ] as const) {
      const [described, done] = read(first, second, ending)
      expect((await described).map((column) => column.name)).toEqual(['index', 'image', 'label'])
      await done
      expect((await here.tables.query('select octet_length(image) as n from t where octet_length(image) = 784')).rows).toBe(10)
    }
    expect((await read(images)[0]).map((column) => column.name)).toEqual(['index', 'image'])
  })
  it('cut short', async () => {
    expect(await both(read(images.subarray(0, 5000), labels))).toBe(
      'idx-truncated: `images` was cut short: its header promises 7 856 bytes, and there are 5 000. Fetch it again.',
    )
    expect(await both(read(images.subarray(0, 10), labels))).toBe(
      'idx-truncated: `images` was cut short: its header promises 16 bytes, and there are 10. Fetch it again.',
    )
    expect(await problemOf(read(gzipSync(images.subarray(0, 5000)), labels, '.gz')[1])).toMatch(
      /^idx-truncated: `images\.gz` .* 7 856 bytes, and there are 5 000/,
    )
    expect(await problemOf(read(gzipSync(images).subarray(0, 600), labels, '.gz')[1])).toMatch(
      /^idx-truncated: `images\.gz` was cut short: its header promises 7 856 bytes/,
    )
  })
  it('too long, empty, of another kind', async () => {
    expect(await both(read(Buffer.concat([images, Buffer.alloc(3)]), labels))).toBe(
      'idx-too-long: `images` holds 7 859 bytes, where its header promises 7 856. Fetch it again.',
    )
    expect(await both(read(Buffer.alloc(0), labels))).toMatch(/^empty-file: `images` is empty/)
    expect(await both(read(Buffer.from('hello world'), labels))).toBe(
      'not-idx: `images` is not an IDX file of bytes: it begins with 68 65 6c 6c, where 00 00 08 and the number of dimensions are expected.',
    )
    expect(await both(read(Buffer.of(0x1f, 0x8b, 0, 1, 2), labels))).toMatch(/^not-gzip/)
  })
  it('of files that do not belong together', async () => {
    expect(await both(read(images, nine))).toBe(
      'idx-counts: `images` holds 10 images and `labels` 9 labels. Name the two files of one data set.',
    )
    expect(await both(read(labels, images))).toBe(
      'idx-dimensions: `images` has 1 dimension; a file of images has two or more dimensions (rows, height, width). Were `images` and `labels` exchanged?',
    )
  })
  it('missing', async () => {
    here.write('train-images', images)
    const reading = { kind: 'idx', images: join(here.folder, 'trian-images') } as const
    expect(await problemOf(here.tables.describe(reading))).toMatch(
      /^missing-file: There is no file `trian-images` in .*\. Did you mean `train-images`\?$/,
    )
  })
})

describe('a statement that fails', () => {
  it.each([
    ['select nosuh from (select 1 as nosuch)', 'unknown-column: There is no column `nosuh`. Did you mean `nosuch`?'],
    ['select t.zzz from (select 1 as nosuch) t', 'unknown-column: There is no column `zzz`.'],
    ['select * from nowhere', 'unknown-table: There is no table `nowhere`.'],
    ['select lenght(1)', 'unknown-function: There is no function `lenght`. Did you mean `length`?'],
    [
      "select sqrt('a', 2)",
      'wrong-arguments: No function fits `sqrt(VARCHAR, INTEGER)`. Give arguments of another number or type, or cast them: `cast(x as DOUBLE)`.',
    ],
    [
      "select cast(x as INTEGER) from (values ('abc')) v(x)",
      'not-converted: `abc` cannot be read as INTEGER. Mend the value, or compare it as text: `cast(x as VARCHAR)`.',
    ],
    [
      "select date 'yesterday'",
      'not-converted: `yesterday` cannot be read as DATE. Mend the value, or compare it as text: `cast(x as VARCHAR)`.',
    ],
    ['selec 1', 'database: The database could not do this: syntax error at or near "selec".'],
  ])('%s', async (sql, sentence) => {
    expect(await problemOf(here.tables.query(sql))).toBe(sentence)
    expect(await problemOf(here.tables.execute(sql))).toBe(sentence)
  })
  it('reads nothing over the network and installs nothing', async () => {
    expect(await problemOf(here.tables.query(`select * from read_csv('https://example.org/a.csv')`))).toMatch(/^database: /)
    expect(await problemOf(here.tables.execute('load spatial'))).toMatch(/^database: /)
  })
})
