import type { StatusParams } from '../../server/src/protocol/messages.ts'
import { inertText } from './inert-text.ts'

type Job = StatusParams['running'][number]

/** `reader: epoch 12 of 40`. */
export function stageText({ name, stage, done, of }: Job): string {
  const count = done !== undefined && of ? ` ${done} of ${of}` : ''
  return inertText(stage ? `${name}: ${stage}${count}` : name, 120)
}
