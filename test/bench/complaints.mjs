/**
 * Complaints: whether they find what they should. Each part stands in a file of its own (`lib-complaints-….mjs`), runs through the command line and
 * prints a table. `ENGINE=onnx` chooses the engine.
 */
import { labelErrors } from './lib-complaints-label-errors.mjs'

labelErrors()
