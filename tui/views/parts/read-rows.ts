import type { ErrorBody } from '../../../protocol/errors.ts'
import { type Row, said, seg } from '../../ui/rows.ts'

/** Shown until the server has answered. */
export const waitingRows: readonly Row[] = [[seg('reading …', 'dim')]]

export const failedRows = ({ message, hint }: ErrorBody): Row[] => [
  [said(message, 'bad')],
  ...(hint === '' ? [] : [[said(hint, 'dim')]]),
]
