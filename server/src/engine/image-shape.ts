import { imageDimensions } from '../data/idx.ts'
import { DataProblem } from '../data/tables.ts'
import type { ImageShape } from '../methods/influence/median-filter.ts'
import type { RunContext } from './context.ts'
import type { FittedModel } from './models.ts'

/** More channels than this are another dimension of the picture. */
const MOST_CHANNELS = 4

/**
 * How the images that a model reads lie in their bytes: as the headers of the files behind its source say (height, width; a third dimension of at most
 * four is the channels, last or first), or, where no header speaks of so many bytes, as the grey levels of a square. Throws `DataProblem`.
 */
export async function imageShape(ctx: RunContext, model: FittedModel, bytes: number): Promise<ImageShape> {
  const found = new Map<string, ImageShape>()
  for (const dimensions of await dimensionsBehind(ctx, model.plan.source)) {
    if (dimensions.reduce((product, dimension) => product * dimension, 1) !== bytes) continue
    const shape = shapeOf(dimensions)
    if (shape) found.set(JSON.stringify(shape), shape)
  }
  if (found.size > 1) {
    throw new DataProblem(
      'image-shape',
      `The files behind \`${model.plan.source}\` hold images of ${bytes} bytes in different shapes, so it cannot be told what surrounds a pixel. Train on files of one shape.`,
    )
  }
  for (const shape of found.values()) return shape
  const side = Math.round(Math.sqrt(bytes))
  if (side * side === bytes) return { width: side, height: side }
  throw new DataProblem(
    'image-shape',
    `An image of \`${model.plan.source}\` has ${bytes} bytes, and no file says its height and width: only squares of grey levels can be filtered then. Read it from an IDX file with three dimensions, or four where it has channels.`,
  )
}

async function dimensionsBehind(ctx: RunContext, source: string): Promise<(readonly number[])[]> {
  const seen = new Set<string>()
  const found: (readonly number[])[] = []
  const visit = async (name: string): Promise<void> => {
    const plan = ctx.prepared.get(name)?.plan
    if (plan === undefined || seen.has(name)) return
    seen.add(name)
    if (plan.reading?.kind === 'idx') found.push(await imageDimensions(plan.reading))
    for (const below of plan.over) await visit(below)
  }
  await visit(source)
  return found
}

function shapeOf(dimensions: readonly number[]): ImageShape | undefined {
  const [a, b, c] = dimensions
  if (a === undefined || b === undefined || dimensions.length > 3) return undefined
  if (c === undefined) return { height: a, width: b }
  if (c <= MOST_CHANNELS) return { height: a, width: b, channels: c, layout: 'interleaved' }
  return a <= MOST_CHANNELS ? { height: b, width: c, channels: a, layout: 'planar' } : undefined
}
