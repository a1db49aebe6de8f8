import type { FileBlame } from '../../../client/http/api.ts'
import { check, type Oracle, readLetter } from './oracle.ts'

type Range = FileBlame['ranges'][number]
type Origin = Pick<Range, 'agent_id' | 'task_id' | 'via' | 'at'>

export interface Expected {
  /** Agents that edit by whole lines: letters of others that they typed again are theirs. */
  wholeLines: readonly number[]
  /** Text that it put back is its author's. */
  undoer: string
  /** The agent that accepts what an agent proposes; null: it writes itself. */
  judge: (agent: number) => string | null
}

/**
 * Compares each character's author, task and `via` with its letter. Throws Wrong. Returns the characters compared, and
 * those among the others that were typed again (count).
 */
export const checkBlame = (
  content: string,
  ranges: readonly Range[],
  oracle: Oracle,
  expected: Expected,
): { characters: number; retyped: number } => {
  const lines = content.split('\n')
  const again = new Map<number, number>()
  let characters = 0
  for (const { from_line, to_line, parts = [], ...main } of ranges) {
    for (let n = from_line; n <= to_line; n++) {
      for (const [i, letter] of [...lines[n - 1]!].entries()) {
        const part = parts.find(({ from_column: from, to_column: to }) => from <= i + 1 && i < to)
        const by = retyperOf(letter, part ?? main, oracle, expected)
        if (by !== null) again.set(by, (again.get(by) ?? 0) + 1)
        else {
          checkOrigin(letter, part ?? main, `line ${n}, column ${i + 1}`, oracle, expected)
          characters++
        }
      }
    }
  }
  let retyped = 0
  for (const [agent, count] of again) {
    const most = oracle.retypedBy(agent)
    const name = oracle.names[agent]
    check(
      count <= most,
      () => `${count} letters of others are ${name}'s, which typed ${most} again`,
    )
    retyped += count
  }
  return { characters, retyped }
}

/** The agent whose another's letter is; null: it may only be its writer's. */
const retyperOf = (
  letter: string,
  { agent_id }: Origin,
  { names }: Oracle,
  { wholeLines }: Expected,
): number | null => {
  const by = names.indexOf(agent_id)
  const isOther = readLetter(letter)?.agent !== by
  return isOther && wholeLines.includes(by) ? by : null
}

const checkOrigin = (
  letter: string,
  { agent_id, task_id, via, at }: Origin,
  where: string,
  { names, tasks }: Oracle,
  { undoer, judge }: Expected,
): void => {
  const wrote = readLetter(letter)
  check(wrote !== null, () => `${where}: ${JSON.stringify(letter)} is nobody's`)
  const { agent, slot } = wrote!
  const vias = [judge(agent), undoer]
  const isRight = agent_id === names[agent] && task_id === tasks[slot]
  check(isRight && vias.includes(via) && at !== null, () => {
    const wanted = `${names[agent]}'s for ${tasks[slot]} via ${vias.join(' or ')}`
    return `${where} is ${wanted}, not ${agent_id}'s for ${task_id} via ${via} at ${at}`
  })
}
