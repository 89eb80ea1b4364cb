import { closeSync, createReadStream, fstatSync, openSync, readFileSync, readSync } from 'node:fs'
import { createGunzip, gunzipSync } from 'node:zlib'
import type { Column, Reading, Schema } from '../sql/tree.ts'
import { findFiles } from './files.ts'
import * as problem from './problems.ts'
import { fileProblem } from './reading.ts'
import type { Columns, NamedColumn } from './tables.ts'

export type IdxReading = Reading & { readonly kind: 'idx' }

/**
 * The files of the MNIST family: two zero bytes, 08 for bytes, the number of dimensions, each dimension as a big-endian 32-bit number, then the
 * bytes, first dimension slowest (LeCun, Cortes & Burges, "The MNIST database", section "File formats"). Compressed by gzip or not, by content.
 */
interface IdxHeader {
  readonly dimensions: readonly number[]
  /** Where the values begin. */
  readonly offset: number
  readonly expectedBytes: number
}

const INDEX: Column = { name: 'index', type: 'number', sqlType: 'INTEGER' }
const IMAGE: Column = { name: 'image', type: 'image', sqlType: 'BLOB' }
const LABEL: Column = { name: 'label', type: 'number', sqlType: 'INTEGER' }

/** Reads the headers only; the length is checked where it is known without unpacking. */
export async function describeIdx(reading: IdxReading): Promise<Schema> {
  const images = await headerOf(reading.images, 'images')
  if (reading.labels === undefined) return [INDEX, IMAGE]
  const labels = await headerOf(reading.labels, 'labels')
  checkCounts(reading, images, labels)
  return [INDEX, IMAGE, LABEL]
}

/** The images are views of the file's bytes: nothing is copied. O(bytes). */
export async function readIdx(reading: IdxReading): Promise<{ readonly columns: Columns; readonly schema: Schema }> {
  const images = load(reading.images, 'images')
  const labels = reading.labels === undefined ? undefined : load(reading.labels, 'labels')
  if (labels) checkCounts(reading, images.header, labels.header)
  const rows = images.header.dimensions[0]!
  if (rows === 0) throw problem.noRows(reading.images)
  const size = images.header.dimensions.slice(1).reduce((product, dimension) => product * dimension, 1)
  const values: Uint8Array[] = new Array(rows)
  for (let i = 0; i < rows; i++) values[i] = images.bytes.subarray(i * size, (i + 1) * size)
  const columns: NamedColumn[] = [
    { name: 'index', data: { kind: 'number', values: Float64Array.from({ length: rows }, (_, i) => i), integer: true } },
    { name: 'image', data: { kind: 'blob', values } },
  ]
  if (labels) columns.push({ name: 'label', data: { kind: 'number', values: Float64Array.from(labels.bytes), integer: true } })
  return { columns: { rows, columns }, schema: labels ? [INDEX, IMAGE, LABEL] : [INDEX, IMAGE] }
}

/** What one image is, from the header alone: `[28, 28]`. */
export async function imageDimensions(reading: IdxReading): Promise<readonly number[]> {
  return (await headerOf(reading.images, 'images')).dimensions.slice(1)
}

function checkCounts(reading: IdxReading, images: IdxHeader, labels: IdxHeader): void {
  const [nImages, nLabels] = [images.dimensions[0]!, labels.dimensions[0]!]
  if (nImages !== nLabels) throw problem.idxCounts(reading.images, nImages, reading.labels!, nLabels)
}

async function headerOf(path: string, what: 'images' | 'labels'): Promise<IdxHeader> {
  const { bytes } = findFiles(path)[0]!
  if (bytes === 0) throw problem.emptyFile(path)
  try {
    const start = firstBytes(path, HEADER_BYTES)
    if (!isGzip(start)) {
      const header = parse(path, start, what)
      checkLength(path, header, bytes)
      return header
    }
    return parse(path, await firstUnpacked(path), what)
  } catch (error) {
    throw fileProblem(path, error)
  }
}

function load(path: string, what: 'images' | 'labels'): { readonly header: IdxHeader; readonly bytes: Uint8Array } {
  const { bytes: size } = findFiles(path)[0]!
  if (size === 0) throw problem.emptyFile(path)
  try {
    const file = readFileSync(path)
    const content = isGzip(file) ? unpack(path, file, what) : file
    const header = parse(path, content, what)
    checkLength(path, header, content.length)
    return { header, bytes: content.subarray(header.offset, header.expectedBytes) }
  } catch (error) {
    throw fileProblem(path, error)
  }
}

/** A gzip stream that was cut short is unpacked as far as it goes, so that the sentence can say how much is missing. */
function unpack(path: string, file: Buffer, what: 'images' | 'labels'): Buffer {
  try {
    return gunzipSync(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'Z_BUF_ERROR') throw problem.notGzip(path)
    const content = gunzipSync(file, { finishFlush: 2 /* Z_SYNC_FLUSH: the end may be missing */ })
    checkLength(path, parse(path, content, what), content.length)
    throw problem.notGzip(path)
  }
}

/** Magic number and up to 255 dimensions are 1 024 bytes; files in use have three. */
const HEADER_BYTES = 4 + 255 * 4

function parse(path: string, start: Uint8Array, what: 'images' | 'labels'): IdxHeader {
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength)
  if (start.length < 4 || view.getUint16(0) !== 0 || start[2] !== 8 || start[3] === 0) {
    const found = start.length === 0 ? 'nothing' : Array.from(start.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    throw problem.notIdx(path, found)
  }
  const nDimensions = start[3]!
  const offset = 4 + nDimensions * 4
  if (start.length < offset) throw problem.idxTruncated(path, offset, start.length)
  if (what === 'labels' ? nDimensions !== 1 : nDimensions < 2) throw problem.idxDimensions(path, what, nDimensions)
  const dimensions = Array.from({ length: nDimensions }, (_, i) => view.getUint32(4 + i * 4))
  return { dimensions, offset, expectedBytes: offset + dimensions.reduce((product, dimension) => product * dimension, 1) }
}

function checkLength(path: string, header: IdxHeader, found: number): void {
  if (found < header.expectedBytes) throw problem.idxTruncated(path, header.expectedBytes, found)
  if (found > header.expectedBytes) throw problem.idxTooLong(path, header.expectedBytes, found)
}

function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

function firstBytes(path: string, count: number): Uint8Array {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(Math.min(count, fstatSync(file).size))
    return buffer.subarray(0, readSync(file, buffer, 0, buffer.length, 0))
  } finally {
    closeSync(file)
  }
}

async function firstUnpacked(path: string): Promise<Uint8Array> {
  const source = createReadStream(path)
  const stream = source.pipe(createGunzip())
  source.on('error', (error) => stream.destroy(error))
  const parts: Buffer[] = []
  let length = 0
  try {
    for await (const part of stream) {
      parts.push(part as Buffer)
      length += (part as Buffer).length
      if (length >= HEADER_BYTES) break
    }
  } catch {
    // Too short to hold a header is for `parse` to say; what is no gzip at all has no first bytes.
    if (length === 0) throw problem.notGzip(path)
  } finally {
    stream.destroy()
    source.destroy()
  }
  return Buffer.concat(parts).subarray(0, HEADER_BYTES)
}
