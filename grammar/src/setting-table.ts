/**
 * Settings with their options and defaults, as data: the second half of the keyword table (`tokens.ts` is the first). `check` validates
 * settings against it, completion and signature help read it. The first setting of a group is its default.
 */
export type OptionType =
  | 'number'
  | 'integer'
  | 'text'
  | 'column'
  | 'columns'
  | 'embedding'
  | 'source'
  | 'value'
  | 'values'
  | 'integers'
  | 'duration'
  | 'boolean'
  | 'word'
  | 'struct'

export interface OptionWord {
  readonly name: string
  readonly type: OptionType
  /** As it would be written. */
  readonly default?: string
  /** Given without its name, in this order. */
  readonly positional?: true
  readonly required?: true
  /** The words that are allowed, beside values of `type`. */
  readonly words?: readonly string[]
  readonly says?: string
}

export interface SettingWord {
  readonly name: string
  readonly options: readonly OptionWord[]
  /** Takes any number of positional values of this type. */
  readonly rest?: OptionType
  readonly says: string
}

export type SettingGroup =
  | 'reader'
  | 'model kind'
  | 'complaint method'
  | 'treatment'
  | 'acquire strategy'
  | 'curve'
  | 'sampling'
  | 'review strategy'
  | 'correct'
  | 'denoise'
  | 'track'
  | 'find method'
  | 'estimate method'

const option = (name: string, type: OptionType, value?: string, says?: string): OptionWord => ({ name, type, default: value, says })
const positional = (name: string, type: OptionType, says?: string): OptionWord => ({ name, type, positional: true, required: true, says })
const needed = (name: string, type: OptionType, says?: string): OptionWord => ({ name, type, required: true, says })
const setting = (name: string, says: string, ...options: OptionWord[]): SettingWord => ({ name, options, says })

const l2 = (value: string): OptionWord => option('l2', 'number', value, 'Weight of the squared parameters, bias included.')
const bound = (value: string, ...words: string[]): OptionWord => ({ name: 'bound', type: 'word', default: value, words })
const searchBound = bound('asymptotic', 'asymptotic', 'finite', 'monotone')
const meanBound = bound('finite', 'finite', 'asymptotic')

export const settings: Readonly<Record<SettingGroup, readonly SettingWord[]>> = {
  reader: [
    setting('idx', 'The MNIST family, gz or not: columns index, image, label.', needed('images', 'text'), option('labels', 'text')),
    setting('images', 'Image files by a glob.', positional('files', 'text'), { name: 'label', type: 'word', words: ['folder'] }),
    setting('database', 'A table of a database.', positional('url', 'text'), needed('table', 'text')),
  ],
  'model kind': [
    setting('logistic', 'Logistic regression over all classes, by L-BFGS.', l2('0.001')),
    setting('linear', 'Linear regression, by L-BFGS.', l2('0.001')),
    setting(
      'mlp',
      'A network of dense layers, by Adam.',
      option('hidden', 'integers', '[64]', 'Units of each hidden layer.'),
      l2('0.0001'),
    ),
    setting('column', 'Predictions brought along in a column.', positional('prediction', 'column'), option('scores', 'columns')),
    setting(
      'head',
      'A logistic head on frozen embeddings.',
      needed('embedding', 'embedding', "A column of lists of numbers, or onnx('file'): its penultimate layer."),
      l2('0.001'),
    ),
    { name: 'cnn', options: [], rest: 'value', says: 'A convolutional network.' },
    { name: 'wrn', options: [], rest: 'value', says: 'A wide residual network.' },
    { name: 'lstm', options: [], rest: 'value', says: 'A recurrent network.' },
    setting('saved', 'A saved model.', positional('folder', 'text')),
    setting(
      'onnx',
      'A model in ONNX form.',
      positional('file', 'text'),
      option('output', 'text', undefined, 'The output to read, or any value inside the graph.'),
      option('classes', 'values', undefined, 'What its outputs stand for, in their order.'),
    ),
  ],
  'complaint method': [
    setting('auto', 'Chosen by Assay, and named in the result.'),
    setting('spectral', 'Rain++: the top eigenvectors of the Hessian.', { name: 'k', type: 'integer', default: 'auto', words: ['auto'] }),
    setting('cg', 'Rain: conjugate gradients.', option('iterations', 'integer', '20'), option('damping', 'number', '0')),
  ],
  treatment: [
    setting('auto', 'What the method chooses.'),
    setting('remove', 'The row were not there.'),
    setting('relabel', 'The row had another label.', option('to', 'value')),
    setting('denoise', 'The image of the row were filtered.', option('size', 'integer', '3')),
    setting('replace', 'The row came from another source.', needed('with', 'source')),
  ],
  'acquire strategy': [
    setting('moderate', 'Curves are fitted again as the imbalance moves by a step.', option('step', 'number', '1')),
    setting('conservative', 'Small rounds.'),
    setting('aggressive', 'The step grows from round to round.', option('factor', 'number', '2')),
    setting('one_shot', 'All at once.'),
    setting('uniform', 'The same for every slice.'),
    setting('water_filling', 'Small slices first, until all are equal.'),
    setting('proportional', 'By the size of the slices.'),
  ],
  curve: [
    setting(
      'power_law',
      'A power law through losses at growing sizes.',
      option('points', 'integer', '10'),
      option('repeats', 'integer', '5'),
      {
        name: 'floor',
        type: 'boolean',
        default: 'auto',
        words: ['auto'],
      },
    ),
    setting('exhaustive', 'One slice varied at a time.', option('points', 'integer', '10'), option('repeats', 'integer', '5')),
  ],
  sampling: [
    setting('auto', 'Chosen by what is known of the sources.'),
    setting('ratio_coll', 'Known shares, by ratio.'),
    setting('coupon_coll', 'Known shares, coupon collector.'),
    setting('ucb', 'Unknown shares, upper confidence bounds.'),
    setting('explore_commit', 'Unknown shares, explore first.'),
    setting('epsilon', 'Unknown shares, epsilon greedy.'),
    setting('random', 'At random.'),
  ],
  'review strategy': [
    setting('bal', 'A bandit over assertions.'),
    setting('uncertainty', 'The least certain rows.'),
    setting('disagreement', 'Confident disagreement.'),
    setting('random', 'At random.'),
  ],
  correct: [
    setting('majority', 'The value that most rows of the group have.'),
    setting('interpolate', 'Between the neighbours.'),
    setting('remove_blip', 'As the rows around it.'),
  ],
  denoise: [setting('median', 'A median filter.', option('size', 'integer', '3'))],
  track: [{ name: 'iou', options: [], rest: 'column', says: 'By the overlap of boxes: iou(x1, y1, x2, y2, …).' }],
  'find method': [
    setting('supg_plus', 'SUPG++.', searchBound),
    setting('supg', 'SUPG.', searchBound),
    setting('uniform', 'Uniform sampling.', searchBound),
  ],
  'estimate method': [
    setting('blazeit_plus', 'BlazeIt++.', meanBound),
    setting('blazeit', 'BlazeIt.', meanBound),
    setting('random', 'Random sampling.', meanBound),
  ],
}

/** `train on SPLIT with (…)`. */
export const trainOptions: readonly OptionWord[] = [
  option('epochs', 'integer', '50', 'Passes over the rows; for logistic and linear, a tenth of the iterations.'),
  option('batch', 'integer', '512'),
  option('seed', 'integer', '7'),
  option('patience', 'integer', '5', 'Stops after so many epochs without gain; needs validate.'),
  option('folds', 'integer', undefined, 'Out-of-fold predictions for ranking and review.'),
]

/** `tree (…)` of a partition. */
export const treeOptions: readonly OptionWord[] = [option('threshold', 'number', '0.9', 'A slice is pure enough above it.')]

/** `from 'FILE' with (…)`. */
export const readerOptions: readonly OptionWord[] = [
  { name: 'format', type: 'word', words: ['csv', 'tsv', 'parquet', 'json', 'jsonl', 'arrow'], says: 'Where the ending does not say it.' },
  option('delim', 'text'),
  option('header', 'boolean'),
  option('quote', 'text'),
  option('escape', 'text'),
  option('nullstr', 'text'),
  option('skip', 'integer'),
  option('types', 'struct', undefined, 'Types of columns by name: [price: DOUBLE].'),
  option('dateformat', 'text'),
  option('timestampformat', 'text'),
  option('decimal_separator', 'text'),
  option('encoding', 'text'),
  option('sample_size', 'integer'),
]

/** A setting of a group by its name, in either case. */
export const settingOf = (group: SettingGroup, name: string): SettingWord | undefined =>
  settings[group].find((one) => one.name === name.toLowerCase())
