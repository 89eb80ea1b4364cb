/**
 * Complaints: whether they find what they should. Each part stands in a file of its own (`lib-complaints-….mjs`), runs through the command line and
 * prints a table. `npm run bench -- complaints:fig12` runs one part, `complaints:fig12,table5` several. `ENGINE=onnx` chooses the engine.
 */
import { denoise } from './lib-complaints-denoise.mjs'
import { fig12 } from './lib-complaints-fig12.mjs'
import { index } from './lib-complaints-index.mjs'
import { labelErrors } from './lib-complaints-label-errors.mjs'
import { online } from './lib-complaints-online.mjs'
import { streaming } from './lib-complaints-streaming.mjs'
import { table5 } from './lib-complaints-table5.mjs'

const parts = {
  'label-errors': labelErrors,
  table5,
  fig12,
  denoise,
  index,
  online,
  streaming,
}

const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !(name in parts))
if (unknown.length) {
  console.error(`There is no part ${unknown.join(', ')}. There are: ${Object.keys(parts).join(', ')}.`)
  process.exit(2)
}
for (const name of asked.length ? asked : Object.keys(parts)) await parts[name]()
