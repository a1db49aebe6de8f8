import { readdirSync } from 'node:fs'
import type { Action } from '../../../workspace/actions/action.ts'
import type { Fields } from '../../../workspace/actions/inputs/field.ts'

const FOLDER = new URL('../../../workspace/actions/', import.meta.url)

/** Every action, by the name under which it is exported. */
export const allActions = async (): Promise<ReadonlyMap<string, Action<Fields, object>>> => {
  const actions = new Map<string, Action<Fields, object>>()
  for (const file of readdirSync(FOLDER)) {
    if (!file.endsWith('.ts')) continue
    const exported = (await import(new URL(file, FOLDER).href)) as Record<string, unknown>
    for (const [name, one] of Object.entries(exported)) {
      if (typeof one === 'object' && one !== null && 'run' in one && 'input' in one)
        actions.set(name, one as Action<Fields, object>)
    }
  }
  return actions
}
